"""Rules about authority: versions of the trust root, revoked keys, agents and tokens."""

from __future__ import annotations

from abverify.model.rules.rule import Rule

RULES = (
    Rule(
        "AV429",
        "nothing waits for the log when the trust root changes",
        "A version takes effect at a place in the log. A record without a place would get a later "
        "one, and would then have been issued under a version that is past.",
        "abverify trust rotate while a record waits for an integrator",
        "abverify integrate, then abverify trust rotate",
    ),
    Rule(
        "AV460",
        "a trust root follows from the one before it",
        "A new version names its predecessor by digest, keeps the ledger's origin, is not dated "
        "before it, and keeps every revocation. A revocation is of a key that was there, and "
        "begins where the log stands: what was signed before is retracted record by record.",
        "a version 2 made for another version 1",
        "a version 2 made by abverify trust rotate",
    ),
    Rule(
        "AV461",
        "a rotation is signed by the old root and by the new",
        "Otherwise whoever can write to the repository could appoint themselves.",
        "2.root.dsse.json signed by its own people alone",
        "one signed by the root thresholds of versions 1 and 2",
    ),
    Rule(
        "AV462",
        "a revoked key signs nothing more",
        "What it signed counts up to the leaf of the log that the revocation names. Dates do not "
        "decide, for whoever stole the key can choose them; without a log nothing shows that a "
        "signature is older, and none of that key counts.",
        "a record at leaf 20 by a key revoked from leaf 12",
        "a record at leaf 11 by that key",
    ),
    Rule(
        "AV463",
        "records are issued under the trust root in force",
        "From the leaf of the log that a new version names, records are issued under it: someone "
        "who left cannot go on under the version that still lists them.",
        "a record under version 1 after version 2 took effect",
        "a record under version 2",
    ),
    Rule(
        "AV464",
        "a rotation changes what is there, and leaves somebody able to sign",
        "Names and keys must exist, revoked keys stay revoked, and no role may ask for more people "
        "than it has.",
        "abverify trust rotate --threshold root=3 with two people",
        "abverify trust rotate --grant root=carol --threshold root=3",
    ),
    Rule(
        "AV465",
        "a proposed trust root is signed by those who count",
        "A proposal enters when the root role of the version before and its own have both signed "
        "in sufficient number; nobody else's signature helps, nor a second one by the same key.",
        "abverify trust sign with a discharger's key",
        "abverify trust sign with the key of a principal in role root",
    ),
    Rule(
        "AV466",
        "an SSH agent signs with a key that it holds",
        "A key is named by its comment, its fingerprint or its key id, and one key only may be "
        "called that. The agent may ask its owner, who may decline.",
        "--key agent:nobody",
        "--key agent:SHA256:… as ssh-add -l prints it",
    ),
    Rule(
        "AV467",
        "an SSH signature counts for its file, its namespace and a known key",
        "A signature of ssh-keygen -Y sign says what it was given for; one given for something "
        "else, or by a key that the trust root does not list, approves nothing.",
        "a signature in namespace file, asked for in namespace abverify",
        "ssh-keygen -Y sign -n abverify -f ~/.ssh/id_ed25519 contract.yaml",
    ),
    Rule(
        "AV468",
        "a key behind a URI is named with its public key",
        "A URI says where a private key is, not which one. The public key after '#' does, and "
        "what the signer returns must verify under it.",
        "--key awskms:arn:aws:kms:…",
        "--key file2:/media/token/key.pem#f2603087a9302c43",
    ),
    Rule(
        "AV469",
        "a public key is named so that it is one key",
        "By its name in the key folder, by a file, by an agent, or by the start of its key id in "
        "the trust root, at least eight digits.",
        "abverify keys export f2",
        "abverify keys export f2603087",
    ),
    Rule(
        "AV470",
        "a Sigstore bundle holds one signature",
        "The format has room for exactly one; a record with several is exported once for each.",
        "abverify record export --format sigstore-bundle of a record that two people signed",
        "the same with --signer and one of their key ids",
    ),
    Rule(
        "AV471",
        "a decision rests on the evidence that its contract asks for",
        "A bundle that is sound in itself may be of another model, another configuration, a smoke "
        "test, too old, incomplete, uncalibrated, or made before the contract was amended. The "
        "audit judges each cited bundle as `check` did when the record was issued, by the signed "
        "contract version and the signed pins, and holds it against what the record says of it.",
        "a discharge of V1_004 that cites a smoke test of Qwen3-30B-A3B-Instruct-2507",
        "one that cites a bench of the model that V1_004 names",
    ),
    Rule(
        "AV484",
        "a proposal is one file, for one place in the ledger",
        "Signatures are gathered below gates/_proposals/, where nothing is read as a record or a "
        "trust root. Two proposals for one place could not both come true.",
        "abverify discharge S1_005 --propose, twice",
        "abverify sign gates/_proposals/…/000003.discharge.dsse.json --key ben",
    ),
    Rule(
        "AV485",
        "a proposal is about the ledger as it is",
        "Whoever signs, signs what is true now: the place in the chain, the trust root, and for a "
        "decision or a lift all that it says. When the ledger has moved on, it is proposed anew.",
        "abverify sign of record 4 after somebody else's record 4",
        "abverify discharge S1_005 --propose again, which makes record 5",
    ),
    Rule(
        "AV486",
        "a record is signed by different people of its role",
        "A second signature of the same person, with the same key or another, adds nothing, and "
        "neither does somebody who does not hold the role.",
        "abverify sign RECORD --key ana, by Ana who proposed it",
        "abverify sign RECORD --key ben",
    ),
)
