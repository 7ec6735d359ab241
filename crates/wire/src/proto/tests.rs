//! What is written is read; what is cut, flipped or made up never panics.

use proptest::prelude::*;

use super::*;

fn error(bytes: &[u8]) -> String {
    let mut reader = Reader::new(bytes, "M");
    loop {
        match reader.next() {
            Ok(Some(_)) => {}
            Ok(None) => return "fine".to_owned(),
            Err(error) => return error.to_string(),
        }
    }
}

#[test]
fn malformed_fields_say_what_and_where() {
    let f = |bytes: &[u8], want: &str| assert_eq!(error(bytes), want, "{bytes:02x?}");
    f(b"", "fine");
    f(b"\x08\x01\x08", "M: a number that is cut off at byte 3 of the message");
    f(b"\x08\xff", "M: a number that is cut off at byte 1 of the message");
    f(b"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "fine");
    f(
        b"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02",
        "M: a number too long at byte 1 of the message",
    );
    f(b"\x09\x00\x00", "M: a number that is cut off at byte 1 of the message");
    f(b"\x0a\x05ab", "M: a length beyond the end at byte 1 of the message");
    f(
        b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
        "M: a length beyond the end at byte 1 of the message",
    );
    f(b"\x0b", "M: an unknown wire type at byte 0 of the message");
    f(b"\x00\x00", "M: a field number out of range at byte 0 of the message");
    f(b"\x0d\x00\x00\x00\x00", "fine");
}

#[test]
fn a_field_is_refused_as_what_it_is_not() {
    let field = |bytes: &'static [u8]| {
        Reader::new(bytes, "M").next().expect("well-formed").expect("a field")
    };
    let wrong = "M: a field of the wrong wire type at byte 0 of the message";
    let f = |result: Result<(), Error>, want: &str| {
        assert_eq!(result.map_err(|e| e.to_string()), Err(want.to_owned()));
    };
    f(field(b"\x08\x01").bytes().map(drop), wrong);
    f(field(b"\x08\x01").double().map(drop), wrong);
    f(field(b"\x08\x01").each_fixed64(|_| {}), wrong);
    f(field(b"\x0a\x01\x80").unsigned().map(drop), wrong);
    f(
        field(b"\x0a\x01\x80").each_fixed64(|_| {}),
        "M: a number that is cut off at byte 0 of the message",
    );
    f(
        field(b"\x0a\x01\x80").each_varint(|_| {}),
        "M: a number that is cut off at byte 0 of the message",
    );
    f(
        field(b"\x0a\x01\x80").text().map(drop),
        "M: a string that is not UTF-8 at byte 0 of the message",
    );
    f(
        field(b"\x08\xff\xff\xff\xff\x1f").uint32().map(drop),
        "M: a number out of range at byte 0 of the message",
    );
    f(
        field(b"\x08\xff\xff\xff\xff\x1f").sint32().map(drop),
        "M: a number out of range at byte 0 of the message",
    );
}

#[test]
fn zero_is_written_only_where_it_tells_something() {
    let mut out = Vec::new();
    let mut writer = Writer::new(&mut out);
    writer.unsigned(1, 0);
    writer.zigzag(2, 0);
    writer.double(3, 0.0);
    writer.text(4, "");
    writer.packed_varints(5, std::iter::empty());
    writer.packed_doubles(6, &[]);
    assert_eq!(out, b"");
    let mut writer = Writer::new(&mut out);
    writer.present_unsigned(1, 0);
    writer.present_text(2, "");
    writer.double(3, -0.0);
    assert_eq!(out, b"\x08\x00\x12\x00\x19\x00\x00\x00\x00\x00\x00\x00\x80");
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        number in 1_u32..1 << 29, unsigned: u64, zigzagged: i64, double: f64,
        text in ".{0,200}", varints: Vec<u64>, doubles in prop::collection::vec(any::<f64>(), 0..9),
    ) {
        let mut out = Vec::new();
        Writer::new(&mut out).nested(number, |w| {
            w.present_unsigned(1, unsigned);
            w.present_unsigned(2, writer::zigzag(zigzagged));
            w.present_double(3, double);
            w.present_text(4, &text);
            w.packed_varints(5, varints.iter().copied());
            w.packed_doubles(6, &doubles);
        });
        let mut outer = Reader::new(&out, "outer");
        let field = outer.next()?.expect("one field");
        prop_assert_eq!(field.number, number);
        prop_assert!(outer.is_at_end());
        let mut inner = field.message("inner")?;
        prop_assert_eq!(inner.next()?.expect("1").unsigned()?, unsigned);
        prop_assert_eq!(inner.next()?.expect("2").zigzag()?, zigzagged);
        prop_assert_eq!(inner.next()?.expect("3").fixed64()?, double.to_bits());
        prop_assert_eq!(inner.next()?.expect("4").text()?, text);
        let mut got = Vec::new();
        while let Some(field) = inner.next()? {
            if field.number == 5 {
                field.each_varint(|v| got.push(v))?;
            } else {
                field.each_fixed64(|v| got.push(v))?;
            }
        }
        let want: Vec<u64> = varints.into_iter().chain(doubles.iter().map(|d| d.to_bits())).collect();
        prop_assert_eq!(got, want);
    }

    #[test]
    fn no_bytes_panic(bytes: Vec<u8>) {
        let mut reader = Reader::new(&bytes, "M");
        let mut fields = 0;
        while let Ok(Some(_)) = reader.next() {
            fields += 1;
        }
        prop_assert!(fields <= bytes.len());
    }
}
