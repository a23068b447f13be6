//! Handlers that read the body themselves.

use butterfly::prelude::*;

#[data]
pub struct Received {
    pub bytes: u64,
}

/// Count the bytes of a body of any size, without keeping them.
#[handler(upload, methods(POST, PUT))]
async fn raw(mut body: Body) -> Result<Received> {
    let mut bytes = 0;
    while let Some(piece) = body.next().await {
        bytes += piece?.len() as u64;
    }
    Ok(Received { bytes })
}

#[data]
pub struct Uploaded {
    pub name: String,
    pub file_name: Option<String>,
    pub bytes: u64,
}

/// Take a multipart form apart: file names come cleaned.
#[handler(upload, methods(POST))]
async fn form(mut form: Multipart) -> Result<Vec<Uploaded>> {
    let mut parts = Vec::new();
    while let Some(mut part) = form.next().await? {
        let (name, file_name) = (part.name().to_owned(), part.file_name().map(str::to_owned));
        let mut bytes = 0;
        while let Some(piece) = part.next_piece().await? {
            bytes += piece.len() as u64;
        }
        parts.push(Uploaded { name, file_name, bytes });
    }
    Ok(parts)
}
