//! Forms with files (`multipart/form-data`, RFC 7578), read part by part as they arrive.

mod feed;
mod file_name;
mod params;
mod save;
#[cfg(test)]
mod tests;

use std::fmt;
use std::path::{Path, PathBuf};

use butterfly_core::{Body, Ctx, Fault, FromBody, Result};
use bytes::Bytes;
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use multer::Field;

use feed::{Allowance, Feed, fault};
use params::disposition;

/// The most parts of one form.
const PARTS: usize = 1000;

/// The longest text field.
const TEXT: usize = 1 << 20;

/// A form with files, as the parameter of a `#[handler(upload)]`: one part after the other, with one piece of the
/// body in memory at a time.
///
/// # Example
///
/// ```no_run
/// use butterfly_core::{Ctx, Result};
/// use butterfly_http::Multipart;
///
/// async fn upload(_: &Ctx, mut form: Multipart) -> Result<u32> {
///     let mut saved = 0;
///     while let Some(part) = form.next().await? {
///         if part.file_name().is_some() {
///             part.save_in("uploads", 50 << 20).await?;
///             saved += 1;
///         }
///     }
///     Ok(saved)
/// }
/// ```
pub struct Multipart {
    parts: multer::Multipart<'static>,
    current: Option<Field<'static>>,
    allowance: Allowance,
    seen: usize,
}

impl FromBody for Multipart {
    fn from_body(ctx: &Ctx, body: Body) -> Result<Self> {
        Ok(Self::new(&ctx.header("content-type").unwrap_or_default(), body)?)
    }
}

impl Multipart {
    fn new(content_type: &str, body: Body) -> Result<Self, Fault> {
        let boundary = params::boundary(content_type)?;
        let allowance = Allowance::default();
        let parts = multer::Multipart::new(Feed::new(body, allowance.clone()), boundary);
        Ok(Self { parts, current: None, allowance, seen: 0 })
    }

    /// The next part; `None` after the last. What is unread of the part before is skipped.
    ///
    /// # Errors
    ///
    /// When the form is malformed or breaks off, has more than 1000 parts, or is larger than the server allows.
    ///
    /// # Example
    ///
    /// ```no_run
    /// # async fn read(mut form: butterfly_http::Multipart) -> butterfly_core::Result<()> {
    /// while let Some(mut part) = form.next().await? {
    ///     println!("{}: {:?}", part.name(), part.file_name());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn next(&mut self) -> Result<Option<Part<'_>>> {
        Ok(self.advance().await?)
    }

    async fn advance(&mut self) -> Result<Option<Part<'_>>, Fault> {
        self.skip().await?;
        self.allowance.limited();
        self.allowance.first_what_is_there();
        let Some(field) = self.parts.next_field().await.map_err(fault)? else { return Ok(None) };
        self.allowance.unlimited();
        self.seen += 1;
        if self.seen > PARTS {
            return Err(Fault::BadBody(format!("the form has more than {PARTS} parts")));
        }
        Part::new(self.current.insert(field), &self.allowance).map(Some)
    }

    async fn skip(&mut self) -> Result<(), Fault> {
        if let Some(field) = &mut self.current {
            while piece(field, &self.allowance).await?.is_some() {}
        }
        // The reader gives out the next part only when the one before is gone.
        self.current = None;
        Ok(())
    }
}

impl fmt::Debug for Multipart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Multipart").field("seen", &self.seen).finish_non_exhaustive()
    }
}

/// One part of a form: a text field or a file.
///
/// # Example
///
/// ```no_run
/// # use butterfly_http::Multipart;
/// # async fn read(mut form: Multipart) -> butterfly_core::Result<()> {
/// while let Some(mut part) = form.next().await? {
///     let mut size = 0;
///     while let Some(piece) = part.next_piece().await? {
///         size += piece.len();
///     }
///     println!("{} has {size} bytes", part.name());
/// }
/// # Ok(())
/// # }
/// ```
pub struct Part<'a> {
    field: &'a mut Field<'static>,
    allowance: &'a Allowance,
    name: String,
    file_name: Option<String>,
    raw_file_name: Option<String>,
    content_type: Option<String>,
}

impl<'a> Part<'a> {
    fn new(field: &'a mut Field<'static>, allowance: &'a Allowance) -> Result<Self, Fault> {
        let header = |name| field.headers().get(name).map(|value| String::from_utf8_lossy(value.as_bytes()));
        let content_type = header(CONTENT_TYPE).map(std::borrow::Cow::into_owned);
        let (name, raw_file_name) = disposition(&header(CONTENT_DISPOSITION).unwrap_or_default());
        let name = name.ok_or_else(|| Fault::BadBody("a part of the form has no name".into()))?;
        let file_name = raw_file_name.as_deref().map(file_name::cleaned);
        Ok(Self { field, allowance, name, file_name, raw_file_name, content_type })
    }

    /// The name of the form's field.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The name of the file, made safe; `None` when the part is a text field.
    ///
    /// It is one plain name on every system: without folders, control characters or leading dots, no name that
    /// Windows reserves, at most 255 bytes, and never empty (`upload`).
    #[must_use]
    pub fn file_name(&self) -> Option<&str> {
        self.file_name.as_deref()
    }

    /// The name of the file as it was sent: whatever the caller likes, so never a path to open. A browser sends
    /// `""` for a file field that was left alone.
    #[must_use]
    pub fn raw_file_name(&self) -> Option<&str> {
        self.raw_file_name.as_deref()
    }

    /// The media type that the caller claims.
    #[must_use]
    pub fn content_type(&self) -> Option<&str> {
        self.content_type.as_deref()
    }

    /// The next piece of the content; `None` at its end.
    ///
    /// # Errors
    ///
    /// When the form breaks off or is larger than the server allows.
    pub async fn next_piece(&mut self) -> Result<Option<Bytes>> {
        Ok(self.piece().await?)
    }

    async fn piece(&mut self) -> Result<Option<Bytes>, Fault> {
        piece(self.field, self.allowance).await
    }

    /// The rest of the content as text of at most 1 MiB.
    ///
    /// # Errors
    ///
    /// When it is longer or no UTF-8, and as [`next_piece`](Self::next_piece).
    pub async fn text(self) -> Result<String> {
        Ok(self.text_within(TEXT).await?)
    }

    async fn text_within(self, limit: usize) -> Result<String, Fault> {
        let name = self.name.clone();
        let bytes = self.bytes_within(limit).await?;
        String::from_utf8(bytes).map_err(|_| Fault::BadBody(format!("the field {name} is no UTF-8 text")))
    }

    /// The rest of the content, of at most `limit` bytes.
    ///
    /// # Errors
    ///
    /// When it is longer, and as [`next_piece`](Self::next_piece).
    pub async fn bytes(self, limit: usize) -> Result<Bytes> {
        Ok(self.bytes_within(limit).await?.into())
    }

    async fn bytes_within(mut self, limit: usize) -> Result<Vec<u8>, Fault> {
        let mut all = Vec::new();
        while let Some(piece) = self.piece().await? {
            if all.len() + piece.len() > limit {
                return Err(Fault::TooLarge { limit: limit as u64 });
            }
            all.extend_from_slice(&piece);
        }
        Ok(all)
    }

    /// Streams the rest of the content to a new file in a folder, which is made if it is missing; gives the path.
    ///
    /// The file has the part's [`file_name`](Self::file_name); where that is taken, `-1`, `-2` … goes before the
    /// extension. The path comes back once the content is on the disk. A file that was not finished, for whatever
    /// reason, is removed.
    ///
    /// # Errors
    ///
    /// When the content is larger than `max_bytes`, when the disk refuses, and as
    /// [`next_piece`](Self::next_piece).
    ///
    /// # Example
    ///
    /// ```no_run
    /// # async fn read(part: butterfly_http::Part<'_>) -> butterfly_core::Result<()> {
    /// let path = part.save_in("uploads", 50 << 20).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn save_in(mut self, dir: impl AsRef<Path>, max_bytes: u64) -> Result<PathBuf> {
        let name = self.file_name.take().unwrap_or_else(|| file_name::cleaned(""));
        save::save(&mut self, dir.as_ref(), &name, max_bytes).await
    }
}

impl fmt::Debug for Part<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shape = f.debug_struct("Part");
        shape.field("name", &self.name).field("file_name", &self.file_name).finish_non_exhaustive()
    }
}

async fn piece(field: &mut Field<'static>, allowance: &Allowance) -> Result<Option<Bytes>, Fault> {
    allowance.first_what_is_there();
    field.chunk().await.map_err(fault)
}

/// The text fields of a form that is in memory already, for a handler that takes parameters.
pub(crate) async fn text_fields(content_type: &str, body: Bytes) -> Result<Vec<(String, String)>, Fault> {
    let limit = body.len();
    let mut form = Multipart::new(content_type, body.into())?;
    let mut fields = Vec::new();
    while let Some(part) = form.advance().await? {
        if part.raw_file_name.is_some() {
            let name = &part.name;
            return Err(Fault::BadBody(format!("{name} is a file: its handler must be #[handler(upload)]")));
        }
        fields.push((part.name.clone(), part.text_within(limit).await?));
    }
    Ok(fields)
}
