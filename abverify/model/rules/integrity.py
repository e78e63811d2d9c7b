"""Rules about integrity: files, records, keys and trust."""

from __future__ import annotations

from abverify.model.rules.rule import Rule

RULES = (
    Rule(
        "AV400",
        "no answer from a ledger that cannot be trusted",
        "With any fault in the ledger no gate reads as discharged and no record is added. "
        "Deny is the default.",
        "abverify check V1_004 after a record was edited",
        "abverify audit exits with 0",
    ),
    Rule(
        "AV401",
        "signed and digested JSON is canonical",
        "Records, locks and journals have exactly one spelling: sorted ASCII keys, integers, "
        "no white space. Reading demands that writing gives the same bytes, which leaves no "
        "room for duplicate keys, NaN, a byte order mark or trailing bytes.",
        "a journal line with a space added",
        "the bytes as abverify wrote them",
    ),
    Rule(
        "AV402",
        "files are plain files",
        "A symlink in evidence or ledger could point anywhere, and point elsewhere tomorrow.",
        "gates/ns/G/000001.amendment.dsse.json as a symlink",
        "the file itself",
    ),
    Rule(
        "AV403",
        "appending never overwrites",
        "A record's file must not exist yet. If somebody appended first, the second writer "
        "starts again on top of that.",
        "two writers of record 000004",
        "one writes 000004, the other 000005",
    ),
    Rule(
        "AV404",
        "nothing is half-written",
        "A file is written whole and synced, or not at all.",
        "a full or read-only disk",
        "a writable folder with space left",
    ),
    Rule(
        "AV405",
        "records are well-formed envelopes",
        "A record is one DSSE envelope of the right type: standard base64 with clean padding,"
        " a key id on each signature, each key once.",
        "an envelope with two signatures by one key id",
        "an envelope as abverify sealed it",
    ),
    Rule(
        "AV406",
        "every signature verifies",
        "Each signature must be by a key of the trust root and verify over exactly these "
        "bytes; none is ignored.",
        "one byte of a record's payload changed",
        "the record as signed",
    ),
    Rule(
        "AV407",
        "records say what abverify knows",
        "A statement of an unknown kind, or with fields missing or added, is refused: what "
        "cannot be read cannot be trusted.",
        "a statement with an extra field",
        "a statement of one of the six kinds",
    ),
    Rule(
        "AV408",
        "a record stands in its own place",
        "The file name carries number and kind, the folder the gate; both must be what the "
        "signed statement says. Nothing else lies among the records.",
        "a discharge copied into another gate's folder",
        "gates/<namespace>/<gate>/<seq>.<kind>.dsse.json",
    ),
    Rule(
        "AV409",
        "chains have no gaps",
        "Numbers run from 1 without a gap, so that a record cannot be dropped from the middle.",
        "000001 and 000003",
        "000001, 000002 and 000003",
    ),
    Rule(
        "AV410",
        "each record follows the one before it",
        "A record names the digest of the envelope before it, so that none can be swapped or "
        "rewritten.",
        "000002 re-signed after 000003 was issued",
        "each prior is the digest of the file before it",
    ),
    Rule(
        "AV411",
        "a record belongs to one ledger",
        "The ledger's origin stands in every record: a discharge of another repository is not"
        " one here.",
        "a record copied from another repository",
        "a record whose origin is the trust root's",
    ),
    Rule(
        "AV412",
        "a record names the trust root it was issued under",
        "Who may sign is judged by that root, not by whatever root is convenient.",
        "a record under an unknown trust root",
        "a record under gates/_trust/1.root.dsse.json",
    ),
    Rule(
        "AV413",
        "records are dated soundly",
        "A record is not dated before its predecessor, nor in the future, nor outside its "
        "trust root's term.",
        "a record dated before the one it follows",
        "dates that never run backwards",
    ),
    Rule(
        "AV414",
        "the right people sign",
        "Each kind of record needs signers of its role, as many different people as the trust"
        " root asks for, counted by the bytes of their keys.",
        "a discharge signed with a runner's key",
        "a discharge signed by the threshold of dischargers",
    ),
    Rule(
        "AV415",
        "a record is about one published contract",
        "The subject is the frozen contract version, by its bytes; the file must be there, "
        "unchanged, and be that gate's and that version's.",
        "contracts/_versions/ns/G/1.0.0.yaml edited",
        "the version's bytes as signed",
    ),
    Rule(
        "AV416",
        "the chain keeps the law",
        "A gate begins with its introduction; an amendment supersedes the version in force "
        "and raises it; everything else is about the version in force.",
        "a discharge of version 1.0.0 after 2.0.0 was published",
        "a discharge of the version in force",
    ),
    Rule(
        "AV417",
        "a lift cites live discharges that cover it",
        "A lift names its suspension, and for each condition a discharge that was live when "
        "the lift was issued.",
        "a lift that cites a retracted discharge",
        "a lift that cites the live discharge",
    ),
    Rule(
        "AV418",
        "citations lead somewhere",
        "What a record cites by digest must be a record of this ledger, of the right kind, "
        "and issued before it.",
        "a lift of a suspension that is not in the ledger",
        "a lift of M280 by its digest",
    ),
    Rule(
        "AV419",
        "a discharge has a term",
        "A discharge counts for as long as its contract allows, and no longer.",
        "validUntil later than issuedAt plus valid_days",
        "validUntil within valid_days",
    ),
    Rule(
        "AV420",
        "a retraction names its target",
        "It must name an earlier record of this ledger by digest. A suspension is ended by a lift,"
        " never by a retraction, and a retraction is final.",
        "a retraction of an unknown digest",
        "a retraction of a record in the ledger",
    ),
    Rule(
        "AV421",
        "a trust root is consistent",
        "Keys, principals and roles must agree with each other, thresholds must be reachable,"
        " and unknown fields are refused.",
        "a role whose threshold exceeds its principals",
        "a root as abverify trust init writes it",
    ),
    Rule(
        "AV422",
        "keys are sound Ed25519 keys",
        "For the few points of small order anybody can forge signatures; they are refused, as"
        " is anything that is no key.",
        "a public key of 32 zero bytes",
        "a key made by abverify keys new",
    ),
    Rule(
        "AV424",
        "there is one trust root, in versions 1 to N",
        "All versions stay, none is missing, and nothing else lies among them. Where a digest was "
        "pinned outside the repository, one of them has it.",
        "gates/_trust without 1.root.dsse.json",
        "1.root.dsse.json, 2.root.dsse.json and so on",
    ),
    Rule(
        "AV425",
        "nothing is built on faults",
        "A record is added only to a ledger that verifies as a whole.",
        "abverify suspend after a record was edited",
        "abverify audit, mend, then suspend",
    ),
    Rule(
        "AV426",
        "a suspension has a name of its own",
        "Lifts name suspensions, so no name is used twice, and an unknown one is refused.",
        "abverify suspend M280 twice",
        "abverify suspend M281",
    ),
    Rule(
        "AV427",
        "a lift must be due",
        "It is refused until live discharges cover the suspension's conditions.",
        "lifting M280 while V1_004 is not discharged",
        "lifting M280 after V1_005 was discharged",
    ),
    Rule(
        "AV428",
        "lift conditions are published contracts",
        "A condition names the bytes of a published contract version.",
        "--lift-when a gate that was never introduced",
        "--lift-when V1_004 after its introduction",
    ),
    Rule(
        "AV430",
        "a bundle is whole",
        "Evidence without a readable manifest, lock and journal is no evidence.",
        "a bundle without lock.json",
        "manifest.json, lock.json, rows.jsonl, scores.json",
    ),
    Rule(
        "AV431",
        "a signing key must be there",
        "Keys are named by plain words and live in the key folder.",
        "--key nobody",
        "abverify keys new operator",
    ),
    Rule(
        "AV432",
        "private keys are private",
        "A private key that others can read is refused.",
        "operator.pem with mode 0644",
        "operator.pem with mode 0600",
    ),
    Rule(
        "AV433",
        "a key opens with its passphrase",
        "Keys are encrypted unless that was refused explicitly.",
        "a wrong passphrase",
        "the key's own passphrase",
    ),
    Rule(
        "AV434",
        "keys live outside the repository",
        "A private key in a work tree gets committed sooner or later.",
        "ABVERIFY_KEYS=contracts/keys",
        "ABVERIFY_KEYS unset: ~/.config/abverify/keys",
    ),
    Rule(
        "AV435",
        "a key is never overwritten",
        "Losing a private key by a typing slip would end its owner's power to sign.",
        "abverify keys new operator, twice",
        "abverify keys new operator2",
    ),
    Rule(
        "AV436",
        "a trust root is started once",
        "A second start would orphan every record; names in it are plain.",
        "abverify trust init in a repository that has one",
        "abverify trust show",
    ),
    Rule(
        "AV437",
        "the trust root knows the signer",
        "A key that belongs to no principal signs nothing here.",
        "--key of somebody else",
        "--key of a principal",
    ),
    Rule(
        "AV438",
        "what records cite is unchanged",
        "Evidence is cited by digest and published contracts are vouched for by records: "
        "neither may change, vanish, or appear unsigned.",
        "a transcript edited after the decision",
        "the bundle as cited",
    ),
    Rule(
        "AV439",
        "a decision says what its evidence gives",
        "The audit recomputes every decision from the cited journal.",
        "a discharge over a journal without a pass",
        "a discharge over a journal with one",
    ),
    Rule(
        "AV440",
        "a publication raises the version",
        "One version has one content, for ever.",
        "publishing other bytes as 1.0.0",
        "publishing them as 2.0.0",
    ),
    Rule(
        "AV441",
        "gates are introduced once, and first",
        "A gate's first record is its introduction; what names a gate in the ledger needs it "
        "to be there.",
        "abverify amend V1_005 --introduce before V1_004's introduction",
        "V1_004 first, then V1_005",
    ),
    Rule(
        "AV443",
        "records hold plain text",
        "One line, in Unicode normal form, with nothing a reader cannot see.",
        "--reason with a line break",
        "--reason 'no pass under contract'",
    ),
    Rule(
        "AV450",
        "the checkpoint is signed by integrators",
        "gates/_log/checkpoint states the ledger's origin, the number of records and the root over "
        "them, signed by the threshold of integrators. It is what others keep a copy of.",
        "a checkpoint signed by a discharger",
        "a checkpoint signed by an integrator",
    ),
    Rule(
        "AV451",
        "every record is in the log",
        "A record outside the log could vanish unseen, so it counts for nothing until an "
        "integrator has taken it in.",
        "a record whose signers are no integrators, just merged",
        "abverify integrate",
    ),
    Rule(
        "AV452",
        "every entry of the log has its record",
        "The log names each record's file and digest: a record that is missing or altered is "
        "seen, also the last one of its chain.",
        "the last record of a gate deleted",
        "the files as the log names them",
    ),
    Rule(
        "AV453",
        "what a signer saw is part of the log",
        "Each record carries the size and root of the log that its signers saw. A log that was "
        "cut and signed afresh contradicts every record that came after the cut.",
        "a record dropped and the log signed again without it",
        "a log that only ever grew",
    ),
    Rule(
        "AV454",
        "entries and tiles give the checkpoint's root",
        "The log's files hold exactly as many entries as the checkpoint says, and the tree over "
        "them has its root.",
        "two entries exchanged",
        "gates/_log as abverify wrote it",
    ),
    Rule(
        "AV455",
        "the log extends the checkpoint that was kept",
        "Against a checkpoint kept elsewhere, a log that is shorter was cut, and one with another "
        "root is a fork: two histories were signed for one ledger.",
        "abverify audit --checkpoint FILE after the repository was rolled back",
        "a log that begins with what the kept checkpoint holds",
    ),
    Rule(
        "AV456",
        "a kept checkpoint can be judged here",
        "A file that is no checkpoint, or one of another ledger or by an unknown key, shows "
        "nothing about this ledger, neither good nor bad.",
        "--checkpoint with another repository's file",
        "--checkpoint with a copy of gates/_log/checkpoint",
    ),
    Rule(
        "AV457",
        "one writer at a time",
        "Appending and integrating hold a lock on gates/; a second writer waits, and gives up "
        "after half a minute.",
        "a writer that hangs while another one starts",
        "abverify suspend, after the other has ended",
    ),
    Rule(
        "AV458",
        "integrators integrate",
        "Only the threshold of the trust root's integrators signs a checkpoint.",
        "abverify integrate --key of a discharger",
        "abverify integrate --key of an integrator",
    ),
    Rule(
        "AV459",
        "the log keeps the order of the chains",
        "A record stands in the log once, after the record before it in its chain, and after "
        "everything that its signers saw.",
        "one entry twice",
        "each record once, in its chain's order",
    ),
)
