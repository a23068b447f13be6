//! The published document: is it valid by itself, and does an answer keep to it?

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

use jsonschema::{Draft, Validator};
use serde_json::{Map, Value, json};

use crate::folder::Folder;
use crate::service::Service;
use crate::wire::{Answer, Request};

pub(crate) const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// The document that a service publishes.
pub(crate) struct Document {
    pub(crate) value: Value,
    /// Made once for each schema: they are asked often.
    validators: RefCell<HashMap<String, Rc<Validator>>>,
}

impl Document {
    pub(crate) fn of(service: &Service) -> Self {
        Self { value: service.get("/openapi.json").json(), validators: RefCell::default() }
    }

    /// Every operation: path, method, description.
    pub(crate) fn operations(&self) -> Vec<(&str, &str, &Value)> {
        let items = self.value["paths"].as_object().unwrap().iter();
        let operations = items.flat_map(|(path, item)| {
            let all = item.as_object().unwrap().iter();
            all.map(move |(method, operation)| (path.as_str(), method.as_str(), operation))
        });
        operations.collect()
    }

    /// What a reference leads to; anything else is itself.
    pub(crate) fn resolved<'d>(&'d self, value: &'d Value) -> &'d Value {
        let Some(reference) = value.get("$ref") else { return value };
        let pointer = reference.as_str().unwrap().strip_prefix('#').unwrap();
        self.value.pointer(pointer).unwrap_or_else(|| panic!("{reference} leads nowhere"))
    }

    /// A schema of the document, ready to judge.
    pub(crate) fn validator(&self, schema: &Value) -> Rc<Validator> {
        let mut made = self.validators.borrow_mut();
        made.entry(schema.to_string()).or_insert_with(|| Rc::new(self.compiled(schema))).clone()
    }

    fn compiled(&self, schema: &Value) -> Validator {
        let whole = json!({ "allOf": [schema], "components": self.value["components"] });
        let options = jsonschema::options().with_draft(Draft::Draft202012).should_validate_formats(true);
        options.build(&whole).unwrap_or_else(|error| panic!("{error} in {schema}"))
    }

    /// Holds an answer against what is published for it: status, media type, body, headers.
    #[track_caller]
    pub(crate) fn check(&self, operation: &Value, request: &Request, answer: &Answer) {
        let responses = &operation["responses"];
        let published = responses.get(answer.status.to_string()).or(responses.get("default"));
        let response = self.resolved(published.unwrap_or_else(|| panic!("{request:?} → {answer:?}")));
        let whole = format!("{request:?} → {answer:?} by {response}");
        for (name, header) in response["headers"].as_object().unwrap_or(&Map::new()) {
            self.check_header(name, self.resolved(header), answer, &whole);
        }
        let media_type = answer.header("content-type").and_then(|line| line.split(';').next());
        let Some(media_type) = media_type.filter(|_| request.method != "HEAD" && answer.status != 304) else {
            return assert!(answer.body.is_empty(), "a body of no media type: {whole}");
        };
        let content = response["content"].as_object().unwrap_or_else(|| panic!("no content in {whole}"));
        let content = content.get(media_type).or(content.get("*/*"));
        let content = content.unwrap_or_else(|| panic!("no such media type in {whole}"));
        let Some(schema) = content.get("schema") else { return };
        if let Err(error) = self.validator(schema).validate(&answer.json()) {
            panic!("{error} in {whole}");
        }
    }

    fn check_header(&self, name: &str, header: &Value, answer: &Answer, whole: &str) {
        let value = match answer.header(name) {
            Some(value) if header["schema"]["type"] == "number" => value.parse::<f64>().unwrap().into(),
            Some(value) => Value::from(value),
            // Only a failure has a reason.
            None => return assert_eq!(name, "x-reason", "no {name} in {whole}"),
        };
        assert!(self.validator(&header["schema"]).is_valid(&value), "{name} in {whole}");
    }
}

/// Calls `visit` with every value in a document.
fn walk<'v>(value: &'v Value, visit: &mut impl FnMut(&'v Value)) {
    visit(value);
    match value {
        Value::Object(map) => map.values().for_each(|inner| walk(inner, visit)),
        Value::Array(list) => list.iter().for_each(|inner| walk(inner, visit)),
        _ => {}
    }
}

fn object(value: &Value) -> &Map<String, Value> {
    value.as_object().unwrap_or_else(|| panic!("{value} is no object"))
}

#[test]
fn the_document_keeps_the_rules_of_openapi() {
    let folder = Folder::new();
    let document = Document::of(&Service::start(&folder, &[]));
    let all = &document.value;
    assert!(all["openapi"].as_str().unwrap().starts_with("3.1."));
    assert_eq!((&all["info"]["title"], &all["info"]["version"]), (&json!("demo"), &json!("0.1.0")));
    walk(all, &mut |value| assert!(document.resolved(value).is_null() || value != &Value::Null));
    for group in object(&all["components"]).values() {
        for name in object(group).keys() {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
            assert!(name.bytes().all(plain), "{name}");
        }
    }
    let mut ids = BTreeSet::new();
    for (path, method, operation) in document.operations() {
        assert!(path.starts_with('/') && METHODS.contains(&method), "{method} {path}");
        assert!(ids.insert(operation["operationId"].as_str().unwrap()), "{operation}");
        check_operation(&document, path, method, operation);
    }
}

fn check_operation(document: &Document, path: &str, method: &str, operation: &Value) {
    let place = format!("{method} {path}");
    let tags = document.value["tags"].as_array().unwrap();
    for tag in operation["tags"].as_array().unwrap() {
        assert_eq!(tags.iter().filter(|known| known["name"] == *tag).count(), 1, "{place}");
    }
    let (mut names, mut in_path) = (BTreeSet::new(), BTreeSet::new());
    for parameter in operation["parameters"].as_array().into_iter().flatten() {
        let (name, location) = (parameter["name"].as_str().unwrap(), parameter["in"].as_str().unwrap());
        assert!(names.insert((name, location)) && ["path", "query"].contains(&location), "{place} {name}");
        if location == "path" {
            assert_eq!(parameter["required"], true, "{place} {name}");
            in_path.insert(format!("{{{name}}}"));
        }
        check_schema_or_content(document, parameter, &place);
    }
    let segments = path.split('/').filter(|segment| segment.starts_with('{'));
    assert_eq!(in_path, segments.map(str::to_owned).collect(), "{place}");
    if let Some(body) = operation.get("requestBody") {
        assert!(method != "get" && !object(&body["content"]).is_empty(), "{place}");
        object(&body["content"]).values().for_each(|content| check_schema(document, content, &place));
    }
    assert!(!object(&operation["responses"]).is_empty(), "{place}");
    for (status, response) in object(&operation["responses"]) {
        let code = status.parse::<u16>().is_ok_and(|code| (100..600).contains(&code));
        assert!(code || status == "default", "{place} {status}");
        let response = document.resolved(response);
        assert!(!response["description"].as_str().unwrap().is_empty(), "{place} {status}");
        let content = response["content"].as_object().into_iter().flat_map(Map::values);
        content.for_each(|content| check_schema(document, content, &place));
    }
    for scheme in operation["security"].as_array().into_iter().flatten().flat_map(|one| object(one).keys()) {
        assert!(document.value["components"]["securitySchemes"].get(scheme).is_some(), "{place} {scheme}");
    }
}

/// A parameter has a schema or one kind of content, never both.
fn check_schema_or_content(document: &Document, parameter: &Value, place: &str) {
    match parameter.get("content") {
        None => assert!(parameter.get("schema").is_some(), "{place}: {parameter}"),
        Some(content) => {
            assert!(parameter.get("schema").is_none() && object(content).len() == 1, "{place}: {parameter}");
            object(content).values().for_each(|content| check_schema(document, content, place));
        }
    }
    check_schema(document, parameter, place);
}

/// A schema is one of JSON Schema 2020-12, and what it refers to is there.
fn check_schema(document: &Document, content: &Value, place: &str) {
    let Some(schema) = content.get("schema") else { return };
    assert!(jsonschema::draft202012::meta::is_valid(schema), "{place}: {schema}");
    document.validator(schema);
    if let Some(default) = schema.get("default") {
        assert!(document.validator(schema).is_valid(default), "{place}: the default does not fit {schema}");
    }
}

#[test]
fn the_document_has_the_routes_and_no_others() {
    let folder = Folder::new();
    let document = Document::of(&Service::start(&folder, &[]));
    let published: BTreeSet<(String, String)> = document
        .operations()
        .iter()
        .map(|(path, method, _)| ((*path).into(), method.to_uppercase()))
        .collect();
    let routes = folder.json(&["routes", "--json"]);
    let routes = routes.as_array().unwrap().iter().flat_map(|route| {
        let path = route["path"].as_str().unwrap();
        let methods = route["methods"].as_array().unwrap().iter();
        methods.map(move |method| (path.to_owned(), method.as_str().unwrap().to_owned()))
    });
    assert_eq!(published, routes.collect());
}
