//! Writing messages: fields in any order, nested messages in place.

/// Appends fields to a buffer.
#[derive(Debug)]
pub(crate) struct Writer<'b> {
    out: &'b mut Vec<u8>,
}

impl<'b> Writer<'b> {
    pub(crate) fn new(out: &'b mut Vec<u8>) -> Self {
        Self { out }
    }

    /// A `uint64`, `uint32`, `bool` or enum; zero is not written, as in proto3.
    pub(crate) fn unsigned(&mut self, number: u32, value: u64) {
        if value != 0 {
            self.present_unsigned(number, value);
        }
    }

    /// One of a `oneof`, where zero says which one it is.
    pub(crate) fn present_unsigned(&mut self, number: u32, value: u64) {
        self.tag(number, 0);
        self.varint(value);
    }

    /// An `int64`.
    pub(crate) fn signed(&mut self, number: u32, value: i64) {
        self.unsigned(number, value.cast_unsigned());
    }

    /// A `sint64` or `sint32`.
    pub(crate) fn zigzag(&mut self, number: u32, value: i64) {
        self.unsigned(number, zigzag(value));
    }

    pub(crate) fn double(&mut self, number: u32, value: f64) {
        // Minus zero is a value of its own.
        if value.to_bits() != 0 {
            self.present_double(number, value);
        }
    }

    pub(crate) fn present_double(&mut self, number: u32, value: f64) {
        self.tag(number, 1);
        self.out.extend_from_slice(&value.to_bits().to_le_bytes());
    }

    pub(crate) fn text(&mut self, number: u32, text: &str) {
        if !text.is_empty() {
            self.present_text(number, text);
        }
    }

    /// An entry of a repeated field, where the empty one counts too.
    pub(crate) fn present_text(&mut self, number: u32, text: &str) {
        self.present_bytes(number, text.as_bytes());
    }

    pub(crate) fn bytes(&mut self, number: u32, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.present_bytes(number, bytes);
        }
    }

    fn present_bytes(&mut self, number: u32, bytes: &[u8]) {
        self.tag(number, 2);
        self.varint(bytes.len() as u64);
        self.out.extend_from_slice(bytes);
    }

    /// What is already a message.
    pub(crate) fn raw(&mut self, message: &[u8]) {
        self.out.extend_from_slice(message);
    }

    /// A length that stands before a message of its own.
    pub(crate) fn length(&mut self, length: usize) {
        self.varint(length as u64);
    }

    pub(crate) fn packed_varints(&mut self, number: u32, values: impl Iterator<Item = u64>) {
        let mut values = values.peekable();
        if values.peek().is_some() {
            self.nested(number, |w| values.for_each(|value| w.varint(value)));
        }
    }

    pub(crate) fn packed_doubles(&mut self, number: u32, values: &[f64]) {
        if !values.is_empty() {
            self.nested(number, |w| {
                for value in values {
                    w.out.extend_from_slice(&value.to_bits().to_le_bytes());
                }
            });
        }
    }

    /// A nested message, whose length is put in front once it is known.
    pub(crate) fn nested(&mut self, number: u32, fill: impl FnOnce(&mut Writer<'_>)) {
        self.tag(number, 2);
        let start = self.out.len();
        fill(&mut Writer::new(self.out));
        let len = self.out.len() - start;
        self.varint(len as u64);
        let prefix = self.out.len() - start - len;
        if let Some(body) = self.out.get_mut(start..) {
            body.rotate_right(prefix);
        }
    }

    fn tag(&mut self, number: u32, wire_type: u64) {
        self.varint(u64::from(number) << 3 | wire_type);
    }

    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.out.push((value & 0x7f) as u8 | 0x80);
            value >>= 7;
        }
        self.out.push((value & 0x7f) as u8);
    }
}

pub(crate) fn zigzag(number: i64) -> u64 {
    (number << 1 ^ number >> 63).cast_unsigned()
}
