use std::collections::BTreeMap;

use super::*;
use crate::ral::Value;
use proptest::prelude::*;
use serde::{Deserialize, Serialize};

fn read(bytes: &[u8]) -> Result<Value, String> {
    decode(bytes, Limits::default()).map_err(|error| error.to_string())
}

/// Any value: what is as deep and wide as tests need.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Int),
        any::<u64>().prop_map(Value::Uint),
        (-1e30f32..1e30).prop_map(Value::Float),
        (-1e300f64..1e300).prop_map(Value::Double),
        ".{0,300}".prop_map(Value::String),
        prop::collection::vec(any::<u8>(), 0..300).prop_map(Value::Bytes),
    ];
    leaf.prop_recursive(5, 60, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Value::Array),
            prop::collection::vec(("[^\0]{0,60}", inner), 0..8).prop_map(Value::Object),
        ]
    })
}

proptest! {
    #[test]
    fn every_value_comes_back(value in value()) {
        let bytes = encode(&value).unwrap();
        prop_assert_eq!(read(&bytes).unwrap(), value);
    }

    #[test]
    fn every_value_goes_through_serde(value in value()) {
        let same: Value = from_value(to_value(&value).unwrap()).unwrap();
        // Numbers take one form on the way.
        prop_assert_eq!(to_value(&same).unwrap(), to_value(&value).unwrap());
    }

    #[test]
    fn no_bytes_do_harm(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = read(&bytes);
    }

    #[test]
    fn no_damage_does_harm(value in value(), place: prop::sample::Index, byte: u8, cut: prop::sample::Index) {
        let mut bytes = encode(&value).unwrap();
        let place = place.index(bytes.len());
        bytes[place] = byte;
        if let Ok(value) = read(&bytes) {
            prop_assert!(encode(&value).is_ok());
        }
        let _ = read(&bytes[..cut.index(bytes.len())]);
    }

    #[test]
    fn what_is_cut_is_refused(value in value(), cut: prop::sample::Index) {
        let bytes = encode(&value).unwrap();
        prop_assert!(read(&bytes[..cut.index(bytes.len())]).is_err());
    }
}

#[test]
fn the_known_bytes_are_written_and_read() {
    let known = [0x10, 0, 0x0b, 0, 0, 0, 1, 0, 0, 0, 0xd0, 2, 2, 0x6b, 0, 0x76, 0];
    let value = Value::object([("k", Value::from("v"))]);
    assert_eq!(encode(&value).unwrap(), known);
    assert_eq!(read(&known).unwrap(), value);
}

#[test]
fn stray_zeros_are_passed_over_only_where_that_is_wanted() {
    let value = Value::object([("k", Value::from("v"))]);
    let bytes = encode(&value).unwrap();
    let lenient = Limits::default().stray_zeros(true);
    for (tail, passed) in
        [(&[0; 4][..], true), (&[0], true), (&[0; 5], false), (&[1], false), (&[0, 0, 0, 1], false)]
    {
        let long = [&bytes[..], tail].concat();
        assert_eq!(
            read(&long).unwrap_err(),
            format!("mcpack, byte 17: {} bytes behind the value", tail.len())
        );
        assert_eq!(decode(&long, lenient).is_ok(), passed, "{tail:?}");
    }
}

#[test]
fn every_type_is_read() {
    let all: [(&[u8], Value); 16] = [
        (&[0x11, 0, 0xff], Value::Int(-1)),
        (&[0x12, 0, 0xfe, 0xff], Value::Int(-2)),
        (&[0x14, 0, 0xfd, 0xff, 0xff, 0xff], Value::Int(-3)),
        (&[0x18, 0, 0, 0, 0, 0, 0, 0, 0, 0x80], Value::Int(i64::MIN)),
        (&[0x21, 0, 0xff], Value::Uint(255)),
        (&[0x22, 0, 0xff, 0xff], Value::Uint(65_535)),
        (&[0x24, 0, 0xff, 0xff, 0xff, 0xff], Value::Uint(4_294_967_295)),
        (&[0x28, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], Value::Uint(u64::MAX)),
        (&[0x31, 0, 1], Value::Bool(true)),
        (&[0x31, 0, 0], Value::Bool(false)),
        (&[0x44, 0, 0, 0, 0x80, 0x3f], Value::Float(1.0)),
        (&[0x48, 0, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f], Value::Double(1.0)),
        (&[0x61, 0, 0], Value::Null),
        (&[0x50, 0, 2, 0, 0, 0, b'a', 0], Value::from("a")),
        (&[0x60, 0, 1, 0, 0, 0, 0xff], Value::from(&[0xff][..])),
        (&[0xe0, 0, 0], Value::Bytes(vec![])),
    ];
    for (bytes, value) in all {
        assert_eq!(read(bytes), Ok(value), "{bytes:x?}");
    }
}

#[test]
fn the_short_form_ends_at_254() {
    assert_eq!(encode(&Value::from("x".repeat(253).as_str())).unwrap()[..3], [0xd0, 0, 254]);
    assert_eq!(encode(&Value::from("x".repeat(254).as_str())).unwrap()[..6], [0x50, 0, 255, 0, 0, 0]);
    assert_eq!(encode(&Value::from(vec![0u8; 254])).unwrap()[..3], [0xe0, 0, 254]);
    assert_eq!(encode(&Value::from(vec![0u8; 255])).unwrap()[..6], [0x60, 0, 255, 0, 0, 0]);
}

#[test]
fn keys_have_their_limits() {
    let with_key = |key: &str| encode(&Value::object([(key, Value::Null)]));
    let longest = "k".repeat(254);
    assert_eq!(read(&with_key(&longest).unwrap()).unwrap().get(&longest), Some(&Value::Null));
    let error = with_key(&"é".repeat(128)).unwrap_err().to_string();
    assert!(error.contains("256 bytes, 254 are allowed"), "{error}");
    assert!(with_key("a\0b").unwrap_err().to_string().contains("zero within the key"));
    assert_eq!(read(&with_key("").unwrap()).unwrap().get(""), Some(&Value::Null));
}

#[test]
fn hostile_bytes_are_refused_by_what_is_wrong_with_them() {
    let huge = [0x20, 0, 12, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0];
    let cases: [(&[u8], &str); 15] = [
        (&[], "byte 0: the bytes end within an item"),
        (&[0x10], "byte 0: the bytes end within an item"),
        (&[0x50, 0, 0xff, 0xff, 0xff, 0xff], "byte 6: a length of 4294967295, where 0 bytes are left"),
        (&huge, "byte 10: 4294967295 items cannot be in 8 bytes"),
        (&[0x58, 0, 0, 0, 0, 0, 0, 0, 0, 0], "byte 0: no known type: 0x58"),
        (&[0x70, 0, 0], "byte 0: no known type: 0x70"),
        (&[0x90, 0, 0], "byte 0: no known type: 0x90"),
        (&[0xd0, 0, 0], "byte 3: a text without a zero behind it"),
        (&[0xd0, 0, 1, b'a'], "byte 3: a text without a zero behind it"),
        (&[0xd0, 0, 3, b'a', 0xff, 0], "byte 4: a text that is no UTF-8"),
        (&[0x10, 0, 2, 0, 0, 0, 0, 0], "byte 6: the bytes end within an item"),
        (&[0x10, 0, 5, 0, 0, 0, 0, 0, 0, 0, 9], "byte 10: 1 bytes behind the last item"),
        (&[0x10, 0, 7, 0, 0, 0, 1, 0, 0, 0, 0x61, 0, 0], "byte 10: an object's item without a key"),
        (&[0x20, 0, 8, 0, 0, 0, 1, 0, 0, 0, 0x61, 1, 0, 0], "byte 10: an array's item with a key"),
        (&[0x10, 0, 10, 0, 0, 0, 1, 0, 0, 0, 0x61, 3, b'a', 0, 0, 0], "byte 12: a zero within a key"),
    ];
    for (bytes, why) in cases {
        assert_eq!(read(bytes).unwrap_err(), format!("mcpack, {why}"), "{bytes:x?}");
    }
}

#[test]
fn an_inner_length_cannot_reach_out_of_its_container() {
    let mut bytes = encode(&Value::Array(vec![Value::from("ab"), Value::from("cd")])).unwrap();
    // The second text claims one byte more than the array has.
    bytes[18] += 1;
    bytes.push(0);
    assert_eq!(read(&bytes).unwrap_err(), "mcpack, byte 19: a length of 4, where 3 bytes are left");
}

fn nested(depth: usize) -> Vec<u8> {
    let mut bytes = vec![0x61, 0, 0];
    for _ in 0..depth {
        let len = bytes.len() as u32 + 4;
        bytes = [&[0x20, 0][..], &len.to_le_bytes(), &1u32.to_le_bytes(), &bytes].concat();
    }
    bytes
}

#[test]
fn depth_and_count_have_limits() {
    let deep = read(&nested(64)).unwrap();
    assert_eq!(encode(&deep).unwrap(), nested(64));
    assert!(read(&nested(65)).unwrap_err().contains("more than 64 deep"));
    assert!(read(&nested(100_000)).unwrap_err().contains("more than 64 deep"));
    assert!(encode(&Value::Array(vec![deep.clone()])).unwrap_err().to_string().contains("more than 64 deep"));
    assert!(to_value(&vec![deep]).unwrap_err().to_string().contains("more than 64 deep"));
    assert!(decode(&nested(4), Limits::default().max_depth(3)).is_err());

    let many = encode(&Value::Array(vec![Value::Array(vec![Value::Null; 5]); 5])).unwrap();
    assert!(decode(&many, Limits::default().max_items(30)).is_ok());
    let error = decode(&many, Limits::default().max_items(29)).unwrap_err();
    assert!(error.to_string().contains("more than 29 values in all"), "{error}");
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum Shape {
    Dot,
    Circle(f64),
    Line(i32, i32),
    Box { w: u8, h: u8 },
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Wrapped(u32);

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Whole {
    flag: bool,
    small: i8,
    large: u64,
    ratio: f32,
    letter: char,
    name: String,
    nothing: Option<u8>,
    something: Option<u8>,
    unit: (),
    pair: (u16, String),
    wrapped: Wrapped,
    shapes: Vec<Shape>,
    by_number: BTreeMap<i32, Vec<u8>>,
    by_name: BTreeMap<String, bool>,
}

#[test]
fn a_type_goes_over_the_wire_and_comes_back() {
    let whole = Whole {
        flag: true,
        small: -3,
        large: u64::MAX,
        ratio: 0.1,
        letter: '蝶',
        name: "名".into(),
        nothing: None,
        something: Some(1),
        unit: (),
        pair: (9, "p".into()),
        wrapped: Wrapped(4),
        shapes: vec![Shape::Dot, Shape::Circle(1.5), Shape::Line(-1, 2), Shape::Box { w: 1, h: 2 }],
        by_number: [(-5, vec![1, 2])].into(),
        by_name: [("a".into(), false)].into(),
    };
    let bytes = encode(&to_value(&whole).unwrap()).unwrap();
    assert_eq!(from_value::<Whole>(read(&bytes).unwrap()).unwrap(), whole);
}

#[test]
fn plain_numbers_take_the_forms_of_the_field() {
    assert_eq!(to_value(&7u8).unwrap(), Value::Int(7));
    assert_eq!(to_value(&7u64).unwrap(), Value::Int(7));
    assert_eq!(to_value(&u64::MAX).unwrap(), Value::Uint(u64::MAX));
    assert_eq!(to_value(&1.5f32).unwrap(), Value::Double(1.5));
    assert_eq!(to_value(&-7i128).unwrap(), Value::Int(-7));
    assert!(to_value(&u128::MAX).unwrap_err().to_string().contains("does not fit 64 bits"));
    assert!(
        to_value(&BTreeMap::from([(vec![1], 1)]))
            .unwrap_err()
            .to_string()
            .contains("an array cannot be the key")
    );
}

#[test]
fn bytes_are_taken_as_a_list_of_bytes_and_wrong_types_are_named() {
    assert_eq!(from_value::<Vec<u8>>(Value::Bytes(vec![1, 255])).unwrap(), [1, 255]);
    let error = from_value::<u8>(Value::Int(256)).unwrap_err().to_string();
    assert!(error.contains("256"), "{error}");
    let error = from_value::<Shape>(Value::from("Square")).unwrap_err().to_string();
    assert!(error.contains("Square") && error.contains("Circle"), "{error}");
    assert!(from_value::<Shape>(Value::from("Circle")).is_err());
    assert!(from_value::<(u8, u8)>(Value::Array(vec![Value::Int(1); 3])).is_err());
    let twice = Value::object([("w", Value::Int(1)), ("w", Value::Int(2))]);
    assert!(from_value::<Shape>(Value::object([("Box", twice)])).is_err());
}
