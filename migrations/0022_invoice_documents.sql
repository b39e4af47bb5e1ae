-- Documents: what stands on an issued invoice or credit note, and the files that were made of it.

create table invoice_document (
  invoice_id uuid primary key references invoice (id),
  content text not null,
  sha256 text not null check (sha256 ~ '^[0-9a-f]{64}$'),
  created_at timestamptz not null,
  check (sha256 = encode(sha256(convert_to(content, 'UTF8')), 'hex'))
);
comment on table invoice_document is 'Every text and figure of a document as it was when it got its number; content is stored text, because its hash is in the audit log.';
create trigger invoice_document_append_only before update or delete on invoice_document for each row execute function refuse_change();
create trigger invoice_document_kept before truncate on invoice_document for each statement execute function refuse_change();

create table invoice_document_file (
  invoice_id uuid not null references invoice_document (invoice_id),
  kind text not null check (kind = 'pdf'),
  bytes bytea not null,
  sha256 text not null,
  created_at timestamptz not null,
  primary key (invoice_id, kind),
  check (sha256 = encode(sha256(bytes), 'hex'))
);
alter table invoice_document_file alter column bytes set storage external;
comment on table invoice_document_file is 'The file that was made when the document was asked for first; everybody gets this one from then on.';
create trigger invoice_document_file_append_only before update or delete on invoice_document_file
  for each row execute function refuse_change();
create trigger invoice_document_file_kept before truncate on invoice_document_file for each statement execute function refuse_change();
