//! The proof that answers, good and bad, are those that the document publishes, for every handler of the demo.
//!
//! The arguments come from the document too: what its schemas refuse, the service has to refuse by name, and what
//! they let pass it has to take.

use serde_json::{Map, Value, json};

use crate::folder::Folder;
use crate::openapi::Document;
use crate::samples::{candidates, fitting, in_query};
use crate::service::Service;
use crate::wire::{Answer, Connection, Request};

/// A service and what it publishes.
struct Proof<'d> {
    document: &'d Document,
    connection: Connection,
    calls: usize,
}

impl Proof<'_> {
    /// Calls, and holds the answer against the document.
    #[track_caller]
    fn call(&mut self, operation: &Value, request: &Request) -> Answer {
        let answer = self.connection.call(request);
        self.calls += 1;
        self.document.check(operation, request, &answer);
        answer
    }
}

/// Runs a proof on every operation of the demo's own apps; gives the number of calls.
fn for_each_operation(prove: impl Fn(&mut Proof<'_>, &Operation<'_>)) -> usize {
    let folder = Folder::new();
    let service = Service::start(&folder, &["--set=log.stderr=false"]);
    let document = Document::of(&service);
    let mut proof = Proof { document: &document, connection: service.connect(), calls: 0 };
    let operations = document.operations();
    let own = |description: &Value| {
        let tag = description["tags"][0].as_str().unwrap();
        tag.starts_with("demo_") || tag == "users"
    };
    for (path, method, description) in operations.into_iter().filter(|(_, _, description)| own(description)) {
        prove(&mut proof, &Operation { path, method, description });
    }
    proof.calls
}

/// One operation, as the document has it.
struct Operation<'d> {
    path: &'d str,
    method: &'d str,
    description: &'d Value,
}

/// What is to be sent: values by parameter, or a whole body.
type Args = Map<String, Value>;

impl Operation<'_> {
    /// Every named parameter and its schema.
    fn parameters(&self) -> Vec<(&str, &Value)> {
        let all = self.description["parameters"].as_array().into_iter().flatten();
        all.map(|one| {
            let schema = one.get("schema").unwrap_or(&one["content"]["application/json"]["schema"]);
            (one["name"].as_str().unwrap(), schema)
        })
        .collect()
    }

    fn kind(&self) -> &str {
        self.description["x-butterfly"]["kind"].as_str().unwrap()
    }

    /// Whether a bad argument is answered with a document that names it.
    fn answers_stat(&self) -> bool {
        matches!(self.kind(), "api" | "upload")
    }

    fn is_required(&self, name: &str) -> bool {
        self.description["x-butterfly"]["required"].as_array().unwrap().iter().any(|known| known == name)
    }

    fn in_path(&self, name: &str) -> bool {
        self.path.contains(&format!("{{{name}}}"))
    }

    /// The schema of a body that is one value.
    fn whole_body(&self) -> Option<&Value> {
        let body = self.description.pointer("/requestBody/content/application~1json/schema")?;
        let is_args = body["$ref"].as_str().is_some_and(|name| name.ends_with(".Args"));
        (!is_args).then_some(body)
    }

    fn takes_json(&self) -> bool {
        self.description.pointer("/requestBody/content/application~1json").is_some()
            && self.whole_body().is_none()
    }

    fn fitting(&self, document: &Document) -> Args {
        let all = self.parameters().into_iter();
        all.map(|(name, schema)| (name.to_owned(), fitting(document, schema))).collect()
    }

    /// The path with its parameters, and all others as a query string.
    fn target(&self, args: &Args) -> String {
        let mut path = self.path.to_owned();
        let mut query = Vec::new();
        for (name, value) in args {
            if self.in_path(name) {
                let text = in_query("", value);
                path = path.replace(&format!("{{{name}}}"), text.trim_start_matches('='));
            } else {
                query.push(in_query(name, value));
            }
        }
        query.retain(|pair| !pair.is_empty());
        if query.is_empty() { path } else { format!("{path}?{}", query.join("&")) }
    }

    /// A request with everything in the query string; a body only where the handler takes one whole.
    fn by_query(&self, document: &Document, args: &Args) -> Request {
        let target = self.target(args);
        match (self.method, self.kind(), self.whole_body()) {
            ("get", ..) => Request::get(&target),
            ("put", ..) => Request::new("PUT", &target),
            (_, _, Some(schema)) => Request::json(&target, &fitting(document, schema)),
            (_, "upload", _) if self.path.ends_with("form") => multipart(&target),
            (_, "upload", _) => Request::post(&target, "application/octet-stream", "some bytes"),
            _ => Request::new("POST", &target),
        }
    }
}

fn multipart(target: &str) -> Request {
    let part =
        "--x\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\r\nabc\r\n--x--\r\n";
    Request::post(target, "multipart/form-data; boundary=x", part)
}

/// What the service says of a parameter; `None` when it has no complaint.
fn complaint(answer: &Answer, name: &str) -> Option<String> {
    let document = answer.json();
    if document["stat"] != "ERR_BAD_PARAMS" {
        return None;
    }
    document["params"][name].as_str().map(str::to_owned)
}

#[test]
fn fitting_arguments_are_answered_as_published() {
    let calls = for_each_operation(|proof, operation| {
        let args = operation.fitting(proof.document);
        let request = operation.by_query(proof.document, &args);
        let answer = proof.call(operation.description, &request);
        assert_ne!(answer.status, 400, "{request:?}");
        if operation.answers_stat() {
            assert_ne!(answer.json()["stat"], "ERR_BAD_PARAMS", "{request:?} → {answer:?}");
        }
        if operation.takes_json() {
            let body = Value::from(args.clone());
            proof.call(operation.description, &Request::json(operation.path, &body));
            let form = operation.target(&args);
            let form = form.split_once('?').map_or("", |(_, query)| query).to_owned();
            let form = Request::post(operation.path, "application/x-www-form-urlencoded", form);
            let answer = proof.call(operation.description, &form);
            assert_ne!(
                (answer.status, answer.text().contains("BAD_PARAMS")),
                (200, true),
                "{form:?} → {answer:?}"
            );
        }
        if operation.method == "get" {
            let mut head = request.clone();
            head.method = "HEAD";
            proof.call(operation.description, &head);
        }
    });
    assert!(calls > 50, "{calls} calls");
}

#[test]
fn missing_and_unknown_parameters_are_named() {
    for_each_operation(|proof, operation| {
        let fits = operation.fitting(proof.document);
        let mut unknown = fits.clone();
        unknown.insert("no_such_parameter".into(), json!(1));
        let mut cases = vec![("no_such_parameter".to_owned(), unknown)];
        for name in fits.keys().filter(|name| operation.is_required(name) && !operation.in_path(name)) {
            let mut less = fits.clone();
            less.remove(name);
            cases.push((name.clone(), less));
        }
        for (name, args) in cases {
            let request = operation.by_query(proof.document, &args);
            let answer = proof.call(operation.description, &request);
            if operation.answers_stat() {
                assert!(complaint(&answer, &name).is_some(), "{name}: {request:?} → {answer:?}");
            } else {
                assert_eq!((answer.status, answer.header("x-reason")), (400, Some("Param check failed")));
            }
        }
    });
}

/// A call that nobody wants to wait for.
fn is_slow(operation: &Operation<'_>, value: &Value) -> bool {
    ["/demo_api/slow", "/demo_async/brew"].contains(&operation.path)
        && value.as_f64().is_some_and(|ms| ms > 100.0)
}

/// Whether the schema decides on a value alone. A check that is a function may refuse more, and so does base64,
/// which JSON Schema only notes; and serde takes an object as the list of its fields, too.
fn decides(document: &Document, schema: &Value, value: &Value) -> bool {
    let more = ["x-checks", "contentEncoding"].iter().any(|word| schema.get(word).is_some());
    let as_list = value.is_array() && fitting(document, schema).is_object();
    !more && !as_list
}

#[test]
fn what_the_schema_refuses_is_refused_by_name_and_all_else_is_taken() {
    let calls = for_each_operation(|proof, operation| {
        if !operation.takes_json() {
            return;
        }
        for (name, schema) in operation.parameters() {
            let validator = proof.document.validator(schema);
            for value in candidates() {
                if is_slow(operation, &value) {
                    continue;
                }
                let mut args = operation.fitting(proof.document);
                args.insert(name.to_owned(), value.clone());
                let request = Request::json(operation.path, &Value::from(args));
                let answer = proof.call(operation.description, &request);
                let fits = validator.is_valid(&value);
                if !operation.answers_stat() {
                    assert_eq!(answer.header("x-reason") == Some("Param check failed"), !fits, "{request:?}");
                    continue;
                }
                let complaint = complaint(&answer, name);
                if decides(proof.document, schema, &value) || (!fits && !value.is_array()) {
                    assert_eq!(complaint.is_some(), !fits, "{name}={value} by {schema}: {answer:?}");
                }
            }
        }
    });
    assert!(calls > 500, "{calls} calls");
}

#[test]
fn nothing_in_a_query_string_leaves_the_published_answers() {
    for_each_operation(|proof, operation| {
        for (name, _) in operation.parameters() {
            for value in candidates() {
                // An empty name in a path is another path.
                if is_slow(operation, &value)
                    || (operation.in_path(name) && (value == "" || value == json!([])))
                {
                    continue;
                }
                let mut args = operation.fitting(proof.document);
                args.insert(name.to_owned(), value);
                proof.call(operation.description, &operation.by_query(proof.document, &args));
            }
        }
    });
}

#[test]
fn bodies_that_cannot_be_read_are_refused_as_published() {
    for_each_operation(|proof, operation| {
        if operation.method == "get" {
            return;
        }
        let json = operation.takes_json() || operation.whole_body().is_some();
        for body in ["{", "[]x", "nonsense", "{\"a\":1,\"a\":2}", "\"text\"", "12", "[1,2]", "\u{0}"] {
            let request = match operation.method {
                "put" => Request::new("PUT", operation.path),
                _ if operation.path.ends_with("form") => {
                    Request::post(operation.path, "multipart/form-data", body)
                }
                _ => Request::post(operation.path, "application/json", body),
            };
            let answer = proof.call(operation.description, &request);
            if json && operation.answers_stat() {
                assert_eq!(answer.json()["stat"], "ERR_BAD_PARAMS", "{body} → {answer:?}");
            }
        }
    });
}

#[test]
fn limits_and_methods_are_refused_as_published() {
    let folder = Folder::new();
    let service = Service::start(&folder, &["--set=http.max_body=50", "--set=http.max_upload=50"]);
    let document = Document::of(&service);
    for (path, _, operation) in document.operations() {
        let responses = &operation["responses"];
        if responses.get("413").is_some() {
            let mut request = Request::post(path, "application/json", "x".repeat(51));
            if path.ends_with("form") {
                request = multipart(path);
            }
            let answer = service.connect().call(&request);
            assert_eq!(answer.status, 413, "{path}");
            document.check(operation, &request, &answer);
        }
        if responses.get("405").is_some() {
            let request = Request::new("DELETE", &path.replace("{id}", "1").replace("{file}", "x"));
            let answer = service.connect().call(&request);
            assert_eq!(answer.status, 405, "{path}");
            document.check(operation, &request, &answer);
        }
        if responses.get("403").is_some() && operation["x-butterfly"]["ops"] == true {
            let path = path.replace("{file}", "x");
            let request = Request::get(&path).header("x-real-ip", "203.0.113.9");
            let answer = service.connect().call(&request);
            assert_eq!(answer.status, 403, "{path}");
            document.check(operation, &request, &answer);
        }
    }
}

#[test]
fn parts_of_files_are_answered_as_published() {
    let folder = Folder::new();
    let service = Service::start(&folder, &[]);
    let document = Document::of(&service);
    let operation = &document.value["paths"]["/demo_download/manifest"]["get"];
    let tag = service.get("/demo_download/manifest").header("etag").unwrap().to_owned();
    for (name, value, status) in [
        ("range", "bytes=0-9", 206),
        ("range", "bytes=999999-", 416),
        ("if-none-match", tag.as_str(), 304),
        ("if-none-match", "\"other\"", 200),
    ] {
        let request = Request::get("/demo_download/manifest").header(name, value);
        let answer = service.connect().call(&request);
        assert_eq!(answer.status, status, "{name}: {value}");
        document.check(operation, &request, &answer);
    }
}

#[test]
fn calls_that_are_queued_are_answered_as_published() {
    let folder = Folder::new();
    let service = Service::start(&folder, &["--set=roles=http", "--set=queue.max_depth=1"]);
    let document = Document::of(&service);
    let operation = &document.value["paths"]["/demo_api/hello"]["get"];
    for status in [202, 503] {
        let request = Request::get("/demo_api/hello?str_info=hi").header("prefer", "respond-async");
        let answer = service.connect().call(&request);
        assert_eq!(answer.status, status, "{answer:?}");
        document.check(operation, &request, &answer);
    }
}
