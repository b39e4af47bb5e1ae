-- The sealer asks for the latest anchored head of every stream; without this it reads all anchors each time.

create index audit_anchor_head_stream on audit_anchor_head (stream, anchor_sequence desc);
