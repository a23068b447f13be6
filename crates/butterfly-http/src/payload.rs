//! Which form a whole body has: JSON, a form, or nothing to bind.

use butterfly_core::args::Payload;
use butterfly_core::head::Head;
use butterfly_core::{Fault, Result};
use bytes::Bytes;

use crate::multipart;
use crate::options::ErrorStyle;

/// A body that was read whole, with what it takes to bind from it.
#[derive(Debug, Default)]
pub(crate) enum Whole {
    #[default]
    Nothing,
    Json(Bytes),
    Form(Bytes),
    Fields(Vec<(String, String)>),
}

impl Whole {
    /// Tells the form of a body. As in the original, the media type is not trusted: what begins with `{` is JSON,
    /// so that `curl -d '{"a":1}'` does what its user means.
    pub(crate) async fn read(head: &Head, body: Bytes, style: ErrorStyle) -> Result<Self> {
        if body.is_empty() {
            return Ok(Self::Nothing);
        }
        let media_type = head.text("content-type").unwrap_or_default().to_ascii_lowercase();
        let essence = media_type.split(';').next().unwrap_or_default().trim();
        let braced = body.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{');
        match essence {
            "application/x-www-form-urlencoded" if !braced => Ok(Self::Form(body)),
            "multipart/form-data" => {
                let content_type = head.text("content-type").unwrap_or_default();
                Ok(Self::Fields(multipart::text_fields(&content_type, body).await?))
            }
            _ if style == ErrorStyle::Rest && !is_json(essence) => Err(Fault::UnsupportedMedia.into()),
            _ => Ok(Self::Json(body)),
        }
    }

    pub(crate) fn payload(&self) -> Payload<'_> {
        match self {
            Self::Nothing => Payload::None,
            Self::Json(document) => Payload::Json(document),
            Self::Form(form) => Payload::Form(form),
            Self::Fields(fields) => Payload::Pairs(fields),
        }
    }
}

fn is_json(essence: &str) -> bool {
    matches!(essence, "" | "application/json" | "text/json" | "application/x-www-form-urlencoded")
        || essence.ends_with("+json")
}
