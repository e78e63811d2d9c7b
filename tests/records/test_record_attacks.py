"""Attacks on one record of a real ledger, each named by the rule that sees it.

The attacker of most of them holds the operator's key, so that nothing is caught for want of a
signature; the log is signed anew where the attack needs it.
"""

from __future__ import annotations

import base64
import json
from functools import partial
from hashlib import sha512
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256

from abverify._canonical import canonical_bytes, sha256_hex
from abverify.errors import UntrustedError
from abverify.records.bodies import kind_of
from abverify.records.envelope import ROOT_TYPE, STATEMENT_TYPE, pae, seal
from abverify.records.keys import KeySigner, PublicKey
from abverify.records.lifecycle import gate_state, scope_states
from abverify.records.quick import Glance
from abverify.records.scan import scan_chain
from abverify.records.setting import Setting
from abverify.records.statement import PREDICATE_TYPES
from abverify.records.trust import ROLE_OF, ROLES
from tests.records.curve import ORDER, PREHASHED, TORSION, answer, sign
from tests.records.simulator import (
    OPERATOR,
    V4,
    V5,
    V6,
    Simulator,
    milestone,
    payload_of,
    signer,
)
from tests.records.test_trust import ALICE, BOB, CAROL, CAROLS_OTHER, document, signed

if TYPE_CHECKING:
    from abverify.records.bodies import Body, Kind

SUSPENSION = "gates/serve/V1_004/000002.suspension.dsse.json"
LIFT = "gates/serve/V1_004/000003.lift.dsse.json"
DISCHARGE = "gates/serve/V1_005/000002.discharge.dsse.json"
CONTRACT = "contracts/_versions/serve/V1_005/1.0.0.yaml"
SEED = bytes.fromhex(sha256_hex(b"operator"))


@pytest.fixture
def ledger() -> Simulator:
    """Five records: two gates, a suspension, a discharge, a lift."""
    return milestone()


def seen(simulator: Simulator, path: str = DISCHARGE) -> str:
    """The one rule that the reading of this file breaks, once the log vouches for the file.

    Whatever the rule is, the gate must not read as discharged.
    """
    simulator.relog()
    read = simulator.ledger()
    assert gate_state(read, V5, simulator.now).state != "discharged"
    assert all(scope.state == "suspended" for scope in scope_states(read))
    (rule,) = {fault.rule for fault in read.faults if fault.file == path}
    return rule


def payload(simulator: Simulator, path: str = DISCHARGE) -> bytes:
    """The statement's bytes."""
    return base64.b64decode(json.loads(simulator.files[path])["payload"])


def put(simulator: Simulator, data: bytes, *signers: KeySigner, path: str = DISCHARGE) -> None:
    """Other signed bytes in the place of a record."""
    keys = signers or (OPERATOR,)
    simulator.files[path] = seal(data, payload_type=STATEMENT_TYPE, signers=keys)


def signature(simulator: Simulator, made: bytes, **other: str) -> None:
    """Another signature on the same payload."""
    value = json.loads(simulator.files[DISCHARGE])
    encoded = base64.b64encode(made).decode()
    value["signatures"] = [{**value["signatures"][0], "sig": encoded, **other}]
    simulator.files[DISCHARGE] = canonical_bytes(value)


def message(simulator: Simulator) -> bytes:
    """What the discharge's signature is over."""
    return pae(STATEMENT_TYPE, payload(simulator))


def test_signed_as_it_should_be_the_discharge_stands(ledger: Simulator) -> None:
    """Without this, what the tests below refuse might be refused for being signed again."""
    signature(ledger, sign(SEED, message(ledger)))
    ledger.relog()
    read = ledger.ledger()
    assert read.faults == ()
    assert gate_state(read, V5, ledger.now).state == "discharged"


class TestTheEnvelope:
    def test_another_payload_type_under_the_old_signature(self, ledger: Simulator) -> None:
        value = json.loads(ledger.files[DISCHARGE])
        ledger.files[DISCHARGE] = canonical_bytes({**value, "payloadType": "text/plain"})
        assert seen(ledger) == "AV405"

    def test_a_signature_made_for_a_trust_root(self, ledger: Simulator) -> None:
        """The same bytes, signed as another type: the type is part of what is signed."""
        value = json.loads(seal(payload(ledger), payload_type=ROOT_TYPE, signers=[OPERATOR]))
        ledger.files[DISCHARGE] = canonical_bytes({**value, "payloadType": STATEMENT_TYPE})
        assert seen(ledger) == "AV406"

    def test_a_signature_over_lengths_in_characters(self, ledger: Simulator) -> None:
        ledger.rewrite(DISCHARGE, lambda s: s["predicate"].update(reason="genügt"))
        data = payload(ledger)
        characters = len(data.decode())
        assert characters == len(data) - 1
        wrong = b"DSSEv1 28 %b %d %b" % (STATEMENT_TYPE.encode(), characters, data)
        signature(ledger, OPERATOR.sign(wrong))
        assert seen(ledger) == "AV406"

    @pytest.mark.parametrize("where", ["payload", "payloadType", "signatures", "keyid"])
    def test_a_key_twice_in_the_envelope(self, ledger: Simulator, where: str) -> None:
        data = ledger.files[DISCHARGE]
        again = b'"%b":"another",' % where.encode()
        place = data.index(b'"%b"' % where.encode())
        ledger.files[DISCHARGE] = data[:place] + again + data[place:]
        assert seen(ledger) == "AV401"

    def test_the_signatures_stripped(self, ledger: Simulator) -> None:
        value = json.loads(ledger.files[DISCHARGE])
        ledger.files[DISCHARGE] = canonical_bytes({**value, "signatures": []})
        assert seen(ledger) == "AV405"

    def test_one_signature_twice(self, ledger: Simulator) -> None:
        value = json.loads(ledger.files[DISCHARGE])
        twice = value["signatures"] * 2
        ledger.files[DISCHARGE] = canonical_bytes({**value, "signatures": twice})
        assert seen(ledger) == "AV405"

    def test_one_signature_under_two_key_ids(self, ledger: Simulator) -> None:
        value = json.loads(ledger.files[DISCHARGE])
        (first,) = value["signatures"]
        alias = {**first, "keyid": "f" * 64}
        ledger.files[DISCHARGE] = canonical_bytes({**value, "signatures": [first, alias]})
        assert seen(ledger) == "AV406"

    def test_more_signatures_than_anybody_needs(self, ledger: Simulator) -> None:
        keys = [OPERATOR, *(signer(f"stranger {number}") for number in range(15))]
        put(ledger, payload(ledger), *keys)
        assert seen(ledger) == "AV406"
        value = json.loads(ledger.files[DISCHARGE])
        value["signatures"] += [{**value["signatures"][-1], "keyid": "g" * 64}]
        ledger.files[DISCHARGE] = canonical_bytes(value)
        assert seen(ledger) == "AV405"

    def test_a_record_of_a_mebibyte(self, ledger: Simulator) -> None:
        value = json.loads(ledger.files[DISCHARGE])
        value["payload"] = base64.b64encode(bytes(1 << 20)).decode()
        ledger.files[DISCHARGE] = canonical_bytes(value)
        assert seen(ledger) == "AV405"

    def test_a_tower_of_brackets(self, ledger: Simulator) -> None:
        ledger.files[DISCHARGE] = b"[" * 60_000
        assert seen(ledger) == "AV401"
        put(ledger, b"[" * 40_000)
        assert seen(ledger) == "AV407"


class TestTheStatement:
    @pytest.mark.parametrize("where", ["_type", "predicate", "gate", "seq", "sha256", "observed"])
    def test_a_key_twice_at_any_depth(self, ledger: Simulator, where: str) -> None:
        data = payload(ledger)
        place = data.index(b'"%b":' % where.encode())
        put(ledger, data[:place] + b'"%b":null,' % where.encode() + data[place:])
        assert seen(ledger) == "AV407"

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            (b'"checked":20', b'"checked": 20'),
            (b'"checked":20', b'"checked":2e1'),
            (b'"checked":20', b'"checked":NaN'),
            (b'"checked":20', b'"checked":1e400'),
            (b'"checked":20', b'"checked":20.0'),
            (b'"checked":20', b'"checked":-0'),
            (b'"checked":20', b'"checked":9007199254740993'),
            (b'"as the test says"', b'"as the test \\u0073ays"'),
            (b'"as the test says"', b'"as the test says\\ud800"'),
            (b'"as the test says"', b'"as the test says\xff"'),
            (b'{"_type"', b'\xef\xbb\xbf{"_type"'),
        ],
        ids=[
            "white space",
            "exponent",
            "NaN",
            "infinite",
            "float",
            "minus zero",
            "beyond 2**53",
            "escape",
            "lone surrogate",
            "no UTF-8",
            "byte order mark",
        ],
    )
    def test_another_spelling_signed_as_it_is(
        self, ledger: Simulator, old: bytes, new: bytes
    ) -> None:
        data = payload(ledger)
        assert data.count(old) == 1
        put(ledger, data.replace(old, new))
        assert seen(ledger) == "AV407"

    def test_bytes_after_the_statement(self, ledger: Simulator) -> None:
        put(ledger, payload(ledger) + b"\n")
        assert seen(ledger) == "AV407"

    @pytest.mark.parametrize(
        "text",
        ["safe\u202egnihton", "zero\u200bwidth", "e\u0301", "two\nlines", "\x1b[2K"],
        ids=["bidi", "zero width", "not NFC", "line break", "terminal escape"],
    )
    def test_a_reason_that_shows_as_another(self, ledger: Simulator, text: str) -> None:
        ledger.rewrite(DISCHARGE, lambda s: s["predicate"].update(reason=text))
        assert seen(ledger) == "AV407"

    @pytest.mark.parametrize(
        "gate",
        ["serve/V1_005\u200b", "serve/V1_00\uff15", "serve/V\u0661_005", "\u0455erve/V1_005"],
        ids=["zero width", "full width", "Arabic digit", "Cyrillic"],
    )  # fmt: skip
    def test_a_gate_that_looks_like_another(self, ledger: Simulator, gate: str) -> None:
        ledger.rewrite(DISCHARGE, lambda s: s["predicate"]["gate"].update(id=gate))
        assert seen(ledger) == "AV407"

    @pytest.mark.parametrize(
        "name",
        [
            "../secret",
            "/etc/passwd",
            "contracts/../../secret",
            "contracts/_versions/serve/V1_005/1.0.0.yaml\0",
            "contracts\\_versions\\serve",
            "C:/contracts/x.yaml",
            "contracts/./x.yaml",
        ],
    )
    def test_a_subject_outside_the_contracts(self, ledger: Simulator, name: str) -> None:
        ledger.rewrite(DISCHARGE, lambda s: s["subject"][0].update(name=name))
        assert seen(ledger) in {"AV407", "AV415"}

    @pytest.mark.parametrize("path", ["gates/../../secret", "/etc", "gates/a//b", "gates\\a"])
    def test_evidence_outside_the_repository(self, ledger: Simulator, path: str) -> None:
        ledger.rewrite(DISCHARGE, lambda s: s["predicate"]["evidence"][0].update(path=path))
        assert seen(ledger) == "AV407"

    def test_every_other_predicate_type_under_a_good_signature(self, ledger: Simulator) -> None:
        for kind in PREDICATE_TYPES.keys() - {"discharge"}:
            other = PREDICATE_TYPES[kind]
            attacked = milestone()
            attacked.rewrite(DISCHARGE, partial(_update, predicateType=other))
            assert seen(attacked) == "AV407", kind
        ledger.rewrite(
            DISCHARGE, lambda s: s.update(predicateType="https://slsa.dev/provenance/v1")
        )
        assert seen(ledger) == "AV407"


class TestTheSignature:
    def test_under_the_key_id_of_another_key(self, ledger: Simulator) -> None:
        mallory = signer("mallory")
        made = mallory.sign(message(ledger))
        signature(ledger, made, keyid=OPERATOR.public_key.keyid)
        assert seen(ledger) == "AV406"
        signature(ledger, made, keyid=mallory.public_key.keyid)
        assert seen(ledger) == "AV406"

    def test_of_another_algorithm(self, ledger: Simulator) -> None:
        signature(ledger, generate_private_key(SECP256R1()).sign(message(ledger), ECDSA(SHA256())))
        assert seen(ledger) == "AV406"

    def test_of_the_prehashed_variant_by_the_right_key(self, ledger: Simulator) -> None:
        hashed = sha512(message(ledger)).digest()
        signature(ledger, sign(SEED, hashed, domain=PREHASHED))
        assert seen(ledger) == "AV406"

    def test_with_the_group_order_added(self, ledger: Simulator) -> None:
        """Without the check a second signature of the same bytes could be made by anybody."""
        made = OPERATOR.sign(message(ledger))
        scalar = int.from_bytes(made[32:], "little") + ORDER
        signature(ledger, made[:32] + scalar.to_bytes(32, "little"))
        assert seen(ledger) == "AV406"

    @pytest.mark.parametrize("multiple", range(8))
    def test_whose_first_half_has_small_order(self, ledger: Simulator, multiple: int) -> None:
        """For the multiple 0 the common libraries accept it, so that readers would differ."""
        commitment = (multiple * TORSION).encoded()
        made = answer(SEED, commitment, message(ledger), domain=b"", nonce=0)
        signature(ledger, commitment + made)
        assert seen(ledger) == "AV406"

    def test_by_a_key_of_small_order_that_the_trust_root_lists(self) -> None:
        """Anybody could sign for it; so no trust root may list it."""
        raw = TORSION.encoded()
        with pytest.raises(UntrustedError):
            PublicKey.of(raw)
        content = document()
        keyid = CAROL.public_key.keyid
        content["keys"][keyid]["keyval"] = {"public": raw.hex()}
        simulator = Simulator(root=signed(content))
        read = simulator.ledger()
        assert read.trust is None
        assert [fault.rule for fault in read.faults] == ["AV422"]

    def test_by_one_person_with_two_keys(self) -> None:
        team = Simulator(root=signed(document()), signers=(ALICE, BOB), actor="alice")
        team.publish(V5)
        path = team.discharge(V5)
        change = {"actor": {"id": "carol", "role": "discharger"}}
        team.rewrite(path, lambda s: s["predicate"].update(change), CAROL, CAROLS_OTHER)
        assert seen(team, path) == "AV414"
        team.rewrite(path, lambda s: s["predicate"].update(change), CAROL, BOB)
        team.relog()
        assert team.ledger().faults == ()

    @pytest.mark.parametrize("kind", ROLE_OF)
    def test_by_somebody_of_every_other_role(self, kind: Kind) -> None:
        people = {role: signer(role) for role in ROLES}
        simulator = _everyone_apart(people)
        (path, *_) = [path for path in simulator.files if path.split(".")[1] == kind]
        for role in people.keys() - {ROLE_OF[kind]}:
            before = simulator.files[path]
            actor = {"id": role, "role": ROLE_OF[kind]}
            simulator.rewrite(path, partial(_issued_by, actor), people[role])
            assert seen(simulator, path) == "AV414", role
            simulator.files[path] = before


def _update(statement: dict[str, Any], **changes: str) -> None:
    statement.update(changes)


def _issued_by(actor: dict[str, str], statement: dict[str, Any]) -> None:
    statement["predicate"]["actor"] = actor


class _Apart(Simulator):
    """A ledger whose every record is issued by the one person of its role."""

    def append(self, gate: Any, body: Body) -> str:
        role = ROLE_OF[kind_of(body)]
        self.actor = role
        self.signers = (signer(role), signer("integrator"))
        return super().append(gate, body)


def _everyone_apart(people: dict[str, KeySigner]) -> Simulator:
    content = document(
        principals={role: {"keys": [key.public_key.keyid]} for role, key in people.items()},
        keys={key.public_key.keyid: key.public_key.to_json() for key in people.values()},
        roles={role: {"principals": [role], "threshold": 1} for role in people},
    )
    simulator = _Apart(root=signed(content, people["root"]))
    simulator.publish(V4)
    simulator.suspend(V4)
    simulator.publish(V5, succeeds=V4)
    simulator.non_discharge(V5)
    simulator.discharge(V5)
    simulator.lift(V4)
    simulator.retract(V5, "gates/serve/V1_005/000003.discharge.dsse.json")
    assert simulator.ledger().faults == ()
    return simulator


class TestTheReader:
    def test_other_bytes_at_the_second_reading(self, ledger: Simulator) -> None:
        """The file is exchanged after its signature was checked and before it is used."""
        ledger.publish(V6)
        ledger.retract(V6, ledger.discharge(V6))
        paths = sorted(path for path in ledger.files if "/V1_006/" in path)
        read: list[str] = []

        def exchanged(path: str) -> bytes:
            read.append(path)
            data = ledger.files[path]
            return data[:-1] if read.count(path) > 1 else data

        setting = _setting(ledger)
        with pytest.raises(UntrustedError) as caught:
            scan_chain(V6, paths, exchanged, setting, glance=Glance(setting))
        assert caught.value.rule == "AV452"

    def test_what_it_read_before_changes_nothing(self, ledger: Simulator) -> None:
        """No list, cache or memory of one verification leaks into the next."""
        good = dict(ledger.files)
        bad = {
            path: data.replace(b'"sig":"', b'"sig":"A', 1)[: len(data)]
            for path, data in good.items()
        }
        setting = _setting(ledger)
        glance = Glance(setting)

        def faulty(files: dict[str, bytes]) -> list[int]:
            chains = (V4, V5)
            return [
                len(
                    scan_chain(
                        gate,
                        sorted(path for path in files if f"/{gate.name}/" in path),
                        files.__getitem__,
                        setting,
                        glance=glance,
                    ).faults
                )
                for gate in chains
            ]

        broken = faulty(bad)
        assert all(broken)
        assert faulty(good) == [0, 0]
        assert faulty(bad) == broken
        assert faulty(good) == [0, 0]

    @pytest.mark.parametrize(
        "name", [".hidden", "ignored.tmp", "~backup", "000009.lift.dsse.json.orig", "Thumbs.db"]
    )
    def test_no_name_is_overlooked(self, ledger: Simulator, name: str) -> None:
        path = f"gates/serve/V1_005/{name}"
        ledger.files[path] = b""
        assert "AV408" in {fault.rule for fault in ledger.ledger().faults if fault.file == path}

    @pytest.mark.parametrize(
        "text",
        [
            "id: &a serve/V1_006\nversion: 1.0.0\nnote: *a\n",
            "id: serve/V1_006\nid: serve/V1_006\nversion: 1.0.0\n",
            "id: !!str serve/V1_006\nversion: 1.0.0\n",
            "base: {<<: {id: serve/V1_006}}\nversion: 1.0.0\n",
            "id: serve/V1_006\nversion: 1.0.0\ndepth: " + "[" * 40 + "]" * 40 + "\n",
        ],
        ids=["alias", "duplicate key", "tag", "merge key", "depth"],
    )
    def test_a_published_contract_with_two_readings(self, ledger: Simulator, text: str) -> None:
        """What a signed amendment publishes: no two readers may read it differently."""
        path = ledger.publish(V6)
        name = "contracts/_versions/serve/V1_006/1.0.0.yaml"
        data = text.encode()
        ledger.contracts[name] = data
        ledger.rewrite(path, lambda s: s["subject"][0]["digest"].update(sha256=sha256_hex(data)))
        ledger.relog()
        read = ledger.ledger()
        assert {fault.rule for fault in read.faults} == {"AV415"}
        assert gate_state(read, V6, ledger.now).state == "unknown"


def _setting(simulator: Simulator) -> Setting:
    read = simulator.ledger()
    assert read.trust is not None
    return Setting(read.trust, simulator.contracts, simulator.now, read.log)


class TestWhatIsHidden:
    @pytest.mark.parametrize("log", ["as it was", "signed anew"])
    def test_a_suspension_that_is_taken_away_opens_nothing(
        self, ledger: Simulator, log: str
    ) -> None:
        """Deny is the default: with a hole in the chain no scope is open and no gate discharged."""
        ledger.suspend(V5, "M281", scope="phase-7")
        ledger.publish(V6)
        path = "gates/serve/V1_005/000003.suspension.dsse.json"
        del ledger.files[path]
        if log == "signed anew":
            ledger.relog()
        read = ledger.ledger()
        assert {fault.rule for fault in read.faults} & {"AV452", "AV453"}
        assert gate_state(read, V5, ledger.now).state == "unknown"
        assert all(scope.state == "suspended" for scope in scope_states(read))

    def test_the_payload_says_what_the_file_name_says(self, ledger: Simulator) -> None:
        """A suspension dressed as a lift: kind, name and type are three and must agree."""
        assert payload_of(ledger.files[SUSPENSION])["predicateType"].endswith("/suspension/v1")
        ledger.files[LIFT] = ledger.files[SUSPENSION]
        assert seen_any(ledger, LIFT) >= {"AV408", "AV409", "AV410"}


def seen_any(simulator: Simulator, path: str) -> set[str]:
    """Every rule that the reading of this file breaks, once the log vouches for the file."""
    simulator.relog()
    return {fault.rule for fault in simulator.ledger().faults if fault.file == path}
