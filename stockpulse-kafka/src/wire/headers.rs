//! The names of headers, and reading them.

use rdkafka::message::{Header, Headers, OwnedHeaders};

pub(super) const SPEC_VERSION: &str = "ce_specversion";
pub(super) const ID: &str = "ce_id";
pub(super) const SOURCE: &str = "ce_source";
pub(super) const TYPE: &str = "ce_type";
pub(super) const SUBJECT: &str = "ce_subject";
pub(super) const TIME: &str = "ce_time";
pub(super) const PARTITION_KEY: &str = "ce_partitionkey";
pub(super) const SEQUENCE: &str = "ce_sequence";
pub(super) const DATA_SCHEMA: &str = "ce_dataschema";
pub(super) const CONTENT_TYPE: &str = "content-type";
pub(super) const TRACE_PARENT: &str = "traceparent";

/// Adds a header.
pub(super) fn with(headers: OwnedHeaders, key: &str, value: &[u8]) -> OwnedHeaders {
    headers.insert(Header { key, value: Some(value) })
}

/// Adds a header, for those who write others than an event's own.
pub(crate) fn header(headers: OwnedHeaders, key: &str, value: impl AsRef<[u8]>) -> OwnedHeaders {
    with(headers, key, value.as_ref())
}

/// The attributes of an event as they lie in a record's headers. Looked through once: there are more headers than
/// anybody wants to search eleven times for each record.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Fields<'a> {
    pub(crate) spec_version: Option<&'a [u8]>,
    pub(crate) id: Option<&'a [u8]>,
    pub(crate) source: Option<&'a [u8]>,
    pub(crate) type_name: Option<&'a [u8]>,
    pub(crate) subject: Option<&'a [u8]>,
    pub(crate) time: Option<&'a [u8]>,
    pub(crate) partition_key: Option<&'a [u8]>,
    pub(crate) sequence: Option<&'a [u8]>,
    pub(crate) content_type: Option<&'a [u8]>,
    pub(crate) trace_parent: Option<&'a [u8]>,
}

impl<'a> Fields<'a> {
    /// Reads headers; of one that is there twice, the last counts.
    pub(crate) fn read<H: Headers>(headers: Option<&'a H>) -> Self {
        let mut fields = Self::default();
        let Some(headers) = headers else { return fields };
        for header in headers.iter() {
            let field = match header.key {
                SPEC_VERSION => &mut fields.spec_version,
                ID => &mut fields.id,
                SOURCE => &mut fields.source,
                TYPE => &mut fields.type_name,
                SUBJECT => &mut fields.subject,
                TIME => &mut fields.time,
                PARTITION_KEY => &mut fields.partition_key,
                SEQUENCE => &mut fields.sequence,
                CONTENT_TYPE => &mut fields.content_type,
                TRACE_PARENT => &mut fields.trace_parent,
                _ => continue,
            };
            *field = header.value;
        }
        fields
    }
}
