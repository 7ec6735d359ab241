//! What a body is, by its headers (`pkg/loghttp/push/push.go`, `otlp.go`).

/// How a push is written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Json,
    LegacyJson,
    /// Protobuf in snappy.
    Snappy,
    OtlpJson,
    OtlpProtobuf,
}

/// What is around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Plain,
    Gzip,
    Deflate,
    Zstd,
    Lz4,
}

impl Form {
    /// JSON if it says so, and snappy with whatever other media type.
    pub(super) fn of_push(content_type: &str) -> Result<Self, String> {
        Ok(if media_type(content_type)? == "application/json" { Self::Json } else { Self::Snappy })
    }

    /// The same with the older JSON.
    pub(super) fn of_legacy(content_type: &str) -> Result<Self, String> {
        Ok(match Self::of_push(content_type)? {
            Self::Json => Self::LegacyJson,
            other => other,
        })
    }

    pub(super) fn of_otlp(content_type: &str) -> Result<Self, String> {
        match content_type.split(';').next().unwrap_or("").trim() {
            "application/json" => Ok(Self::OtlpJson),
            "application/x-protobuf" => Ok(Self::OtlpProtobuf),
            _ => Err(format!("content type: {content_type} is not supported")),
        }
    }

    pub(super) fn is_snappy(self) -> bool {
        self == Self::Snappy
    }
}

/// The media type in lower case, or what Go's `mime.ParseMediaType` says of it.
fn media_type(content_type: &str) -> Result<String, String> {
    let media = content_type.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
    if media.is_empty() {
        return Err("mime: no media type".to_owned());
    }
    let is_token = |text: &str| {
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'/')
    };
    match media.split_once('/') {
        Some((kind, rest)) if is_token(kind) && is_token(rest) => Ok(media),
        None if is_token(&media) => Ok(media),
        Some((kind, "")) if is_token(kind) => Err("mime: expected token after slash".to_owned()),
        Some(_) | None => Err("mime: unexpected content after media subtype".to_owned()),
    }
}

impl Encoding {
    pub(super) fn of(content_encoding: &str, form: Form) -> Result<Self, String> {
        let is_otlp = matches!(form, Form::OtlpJson | Form::OtlpProtobuf);
        match content_encoding {
            "" => Ok(Self::Plain),
            // Said of what is snappy by itself.
            "snappy" if !is_otlp => Ok(Self::Plain),
            "gzip" => Ok(Self::Gzip),
            "deflate" => Ok(Self::Deflate),
            "zstd" if is_otlp => Ok(Self::Zstd),
            "lz4" if is_otlp => Ok(Self::Lz4),
            other if is_otlp => Err(format!(
                "unsupported content encoding {other}: only gzip, lz4 and zstd are supported"
            )),
            other => Err(format!("Content-Encoding {other:?} not supported")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_choose_the_form() {
        let f = |content_type: &str, want: Result<Form, &str>| {
            let got = Form::of_push(content_type);
            assert_eq!(got, want.map_err(str::to_owned), "{content_type:?}");
        };
        f("application/json", Ok(Form::Json));
        f("Application/JSON; charset=utf-8", Ok(Form::Json));
        f("application/x-protobuf", Ok(Form::Snappy));
        f("application/xml", Ok(Form::Snappy));
        f("", Err("mime: no media type"));
        f("; charset=utf-8", Err("mime: no media type"));
        f("application/", Err("mime: expected token after slash"));
        assert_eq!(Form::of_legacy("application/json"), Ok(Form::LegacyJson));
        assert_eq!(Form::of_otlp("application/json; charset=utf-8"), Ok(Form::OtlpJson));
        let refused = "content type: text/plain is not supported".to_owned();
        assert_eq!(Form::of_otlp("text/plain"), Err(refused));
        assert_eq!(Encoding::of("snappy", Form::Snappy), Ok(Encoding::Plain));
        assert_eq!(Encoding::of("gzip", Form::Json), Ok(Encoding::Gzip));
        let refused = "Content-Encoding \"br\" not supported".to_owned();
        assert_eq!(Encoding::of("br", Form::Json), Err(refused));
        let refused = "Content-Encoding \"zstd\" not supported".to_owned();
        assert_eq!(Encoding::of("zstd", Form::Snappy), Err(refused));
        assert_eq!(Encoding::of("zstd", Form::OtlpJson), Ok(Encoding::Zstd));
        assert_eq!(Encoding::of("lz4", Form::OtlpProtobuf), Ok(Encoding::Lz4));
        let refused =
            "unsupported content encoding snappy: only gzip, lz4 and zstd are supported".to_owned();
        assert_eq!(Encoding::of("snappy", Form::OtlpJson), Err(refused));
    }
}
