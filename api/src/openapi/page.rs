//! `/docs`: the OpenAPI document as one HTML page without script, so that nothing is loaded and
//! nothing runs. All text is escaped, wherever it comes from.

use serde_json::Value;
use utoipa::openapi::OpenApi;

const STYLE: &str = "
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
article { border: 1px solid #8886; border-radius: 8px; padding: .25rem 1rem 1rem; margin: 1rem 0; }
h3 { margin-bottom: .25rem; } code, .method { font-family: ui-monospace, monospace; }
.method { border-radius: 4px; padding: .1rem .5rem; margin-right: .5rem; background: #2563eb; color: #fff; }
.post { background: #15803d; } .put { background: #a16207; } .delete { background: #b91c1c; }
table { border-collapse: collapse; width: 100%; margin-top: .5rem; }
th, td { text-align: left; vertical-align: top; padding: .2rem .75rem .2rem 0; border-top: 1px solid #8884; }
td:last-child { width: 100%; } td:nth-child(2) { white-space: nowrap; }
";

/// The page that describes `document`.
pub(super) fn render(document: &OpenApi) -> String {
    let document = serde_json::to_value(document).unwrap_or_default();
    let mut page = Page(String::new());
    let info = &document["info"];
    page.raw("<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><title>");
    page.text(&info["title"]);
    page.raw("</title><style>").raw(STYLE).raw("</style></head><body><h1>");
    page.text(&info["title"]);
    page.raw(" <small>").text(&info["version"]).raw("</small></h1><p>");
    page.text(&info["description"]);
    page.raw(
        "</p><p>As a document: <a href=\"/openapi.json\">/openapi.json</a></p><h2>Endpoints</h2>",
    );
    for (path, methods) in members(&document["paths"]) {
        for (method, operation) in members(methods) {
            page.operation(path, method, operation, &document);
        }
    }
    page.raw("<h2>Schemas</h2>");
    for (name, schema) in members(&document["components"]["schemas"]) {
        page.schema(name, schema);
    }
    page.raw("</body></html>\n");
    page.0
}

struct Page(String);

impl Page {
    fn raw(&mut self, html: &str) -> &mut Self {
        self.0.push_str(html);
        self
    }

    fn text(&mut self, value: &Value) -> &mut Self {
        self.escaped(value.as_str().unwrap_or_default())
    }

    fn escaped(&mut self, text: &str) -> &mut Self {
        for c in text.chars() {
            match c {
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '&' => self.0.push_str("&amp;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                c => self.0.push(c),
            }
        }
        self
    }

    /// Prose of the document, which is Markdown: of it only `code` is written here.
    fn prose(&mut self, text: &str) -> &mut Self {
        for (at, part) in text.split('`').enumerate() {
            if at % 2 == 0 {
                self.escaped(part);
            } else {
                self.raw("<code>").escaped(part).raw("</code>");
            }
        }
        self
    }

    fn operation(&mut self, path: &str, method: &str, operation: &Value, document: &Value) {
        self.raw("<article><h3><span class=\"method ").escaped(method).raw("\">");
        self.escaped(&method.to_uppercase()).raw("</span><code>").escaped(path);
        self.raw("</code></h3>").text(&operation["summary"]).raw("<table>");
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            self.row(
                &format!("{} ({})", string(&parameter["name"]), string(&parameter["in"])),
                &type_name(&parameter["schema"]),
                string(&parameter["description"]),
            );
        }
        for (media_type, content) in members(&operation["requestBody"]["content"]) {
            self.row("body", &type_name(&content["schema"]), media_type);
        }
        for (status, response) in members(&operation["responses"]) {
            let response = string(&response["$ref"])
                .strip_prefix('#')
                .and_then(|pointer| document.pointer(pointer))
                .unwrap_or(response);
            let content = members(&response["content"]).next();
            let body =
                content.map(|(_, content)| type_name(&content["schema"])).unwrap_or_default();
            self.row(status, &body, string(&response["description"]));
        }
        self.raw("</table></article>");
    }

    fn schema(&mut self, name: &str, schema: &Value) {
        self.raw("<article><h3><code>").escaped(name).raw("</code></h3>");
        self.text(&schema["description"]).raw("<table>");
        for (field, about) in members(&schema["properties"]) {
            let mut limits = String::new();
            for key in ["minLength", "maxLength", "pattern", "default", "example"] {
                if let Some(value) = about.get(key) {
                    limits.extend([" ", key, ": ", &value.to_string(), ";"]);
                }
            }
            let about_it = format!("{}{limits}", string(&about["description"]));
            self.row(field, &type_name(about), &about_it);
        }
        self.raw("</table></article>");
    }

    fn row(&mut self, name: &str, kind: &str, about: &str) {
        self.raw("<tr><th><code>").escaped(name).raw("</code></th><td><code>").escaped(kind);
        self.raw("</code></td><td>").prose(about).raw("</td></tr>");
    }
}

fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

fn string(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// `Item`, `string`, `integer or null`, `Item[]`.
fn type_name(schema: &Value) -> String {
    if let Some(reference) = schema["$ref"].as_str() {
        return reference.rsplit('/').next().unwrap_or_default().to_owned();
    }
    match &schema["type"] {
        Value::Array(types) => types.iter().map(string).collect::<Vec<_>>().join(" or "),
        Value::String(name) if name == "array" => format!("{}[]", type_name(&schema["items"])),
        kind => string(kind).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use utoipa::OpenApi as _;

    #[test]
    fn the_page_names_every_operation_and_loads_nothing() {
        let document = crate::openapi::Api::openapi();
        let page = render(&document);
        for (path, item) in &document.paths.paths {
            let methods = serde_json::to_value(item).unwrap();
            for (method, _) in members(&methods) {
                let heading = format!("{}</span><code>{path}</code>", method.to_uppercase());
                assert!(page.contains(&heading), "{method} {path} is not on the page");
            }
        }
        for foreign in ["http:", "https:", "//", "<script", "src=", "url(", "@import"] {
            assert!(!page.contains(foreign), "{foreign:?} is on the page");
        }
    }

    #[test]
    fn text_is_escaped() {
        let mut page = Page(String::new());
        page.escaped("<b a='1' c=\"2\">&");
        assert_eq!(page.0, "&lt;b a=&#39;1&#39; c=&quot;2&quot;&gt;&amp;");
        let mut page = Page(String::new());
        page.prose("after `a<b` or `c");
        assert_eq!(page.0, "after <code>a&lt;b</code> or <code>c</code>");
    }
}
