// Verifies a record with npm's @sigstore/verify, which is not ours and knows nothing of abverify.
//
//   npm install @sigstore/verify @sigstore/bundle
//   abverify record export S1_004#1 --format sigstore-bundle -o record.sigstore.json
//   abverify keys export KEYID > key.pem
//   node tools/verify_sigstore.mjs record.sigstore.json key.pem
import { createPublicKey } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(`${process.cwd()}/`);
const { bundleFromJSON } = require("@sigstore/bundle");
const { Verifier, toSignedEntity } = require("@sigstore/verify");

const [bundleFile, keyFile] = process.argv.slice(2);
const publicKey = createPublicKey(readFileSync(keyFile));
const material = {
  certificateAuthorities: [],
  timestampAuthorities: [],
  tlogs: [],
  ctlogs: [],
  publicKey: () => ({ publicKey, validFor: () => true }),
};
const bundle = bundleFromJSON(JSON.parse(readFileSync(bundleFile, "utf8")));
const verifier = new Verifier(material, { tlogThreshold: 0, ctlogThreshold: 0, timestampThreshold: 0 });
try {
  verifier.verify(toSignedEntity(bundle));
  console.log("verified");
} catch (error) {
  console.error(`refused: ${error.code ?? error.message}`);
  process.exit(1);
}
