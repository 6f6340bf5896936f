// Asks a worker (its URL, the document's file) and holds every answer against the document with Ajv.
import { readFileSync } from "node:fs";
import Ajv2020 from "ajv/dist/2020.js";
import addFormats from "ajv-formats";

const [url, file] = process.argv.slice(2);
const document = JSON.parse(readFileSync(file, "utf8"));
const ajv = new Ajv2020({ strict: false, allErrors: true });
addFormats(ajv);
ajv.addSchema(document, "openapi");

function at(pointer) {
    return pointer.split("/").slice(1).reduce(
        (value, step) => value?.[step.replaceAll("~1", "/").replaceAll("~0", "~")], document);
}

function resolved(pointer) {
    const value = at(pointer);
    return value?.$ref ? resolved(value.$ref.slice(1)) : pointer;
}

const admin = { Authorization: `Bearer ${process.env.SLUICE_TOKEN}` };
const requests = [
    ["POST", "/v1/classify", { text: "where is my parcel A-2231?", explain: true }, {}, 200],
    ["POST", "/v1/classify", { text: "and B-10498?", session: "s", durable: true }, {}, 200],
    ["POST", "/v1/classify", { text: "yes", system: "Shall I cancel it?", system_acts: ["CONFIRM"], context: "none" }, {}, 200],
    ["POST", "/v1/classify", { text: "qwertz", top_k: 100 }, {}, 200],
    ["POST", "/v1/classify", { text: "" }, {}, 400],
    ["POST", "/v1/classify", { text: "a", nonsense: 1 }, {}, 400],
    ["POST", "/v1/classify", { text: "a".repeat(5000) }, {}, 413],
    ["POST", "/v1/classify", { text: "a" }, { "Content-Encoding": "br" }, 415],
    ["POST", "/v1/classify", { text: "a" }, { Authorization: "Bearer nobody" }, 401],
    ["POST", "/v1/classify/batch", { queries: ["hello", { text: "no" }, ""] }, {}, 200],
    ["POST", "/v1/classify/batch", { queries: Array(1001).fill("a") }, {}, 413],
    ["GET", "/v1/classify/batch", undefined, {}, 405],
    ["POST", "/v1/feedback", { kind: "nonsense", request: "r" }, {}, 400],
    ["POST", "/v1/admin/model", "x", {}, 401],
    ["POST", "/v1/admin/model", "x", admin, 400],
    ["POST", "/v1/admin/model", "x", { ...admin, "X-Content-SHA256": "0".repeat(64) }, 409],
    ["POST", "/v1/admin/profile", { seconds: 61 }, admin, 400],
    ["POST", "/v1/admin/profile", { seconds: 1 }, admin, [200, 501]],
    ["GET", "/v1/info", undefined, {}, 200],
    ["GET", "/healthz", undefined, {}, 200],
    ["GET", "/readyz", undefined, {}, 200],
    ["GET", "/metrics", undefined, {}, 200],
    ["GET", "/metrics", undefined, { Accept: "application/openmetrics-text" }, 200],
    ["GET", "/openapi.json", undefined, {}, 200],
];

let failures = 0;
for (const [method, path, body, headers, expected] of requests) {
    const answer = await fetch(url + path, {
        method,
        headers: { ...headers, traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01" },
        body: typeof body === "object" ? JSON.stringify(body) : body,
    });
    const text = await answer.text();
    const problems = [];
    if (![expected].flat().includes(answer.status)) {
        problems.push(`status ${answer.status}, expected ${expected}: ${text.slice(0, 200)}`);
    }
    const operations = Object.keys(document.paths[path]);
    const pointer = resolved(
        `/paths/${path.replaceAll("/", "~1")}/${operations[0]}/responses/${answer.status}`);
    const response = at(pointer);
    const type = answer.headers.get("content-type").split(";")[0];
    if (!response) {
        problems.push(`status ${answer.status} is not documented`);
    } else if (!response.content?.[type]) {
        problems.push(`type ${type} is not documented for ${answer.status}`);
    } else if (type.endsWith("json")) {
        const schema = `openapi#${pointer}/content/${type.replaceAll("/", "~1")}/schema`;
        const validate = ajv.getSchema(schema) ?? ajv.compile({ $ref: schema });
        if (!validate(JSON.parse(text))) {
            problems.push(ajv.errorsText(validate.errors));
        }
    }
    failures += problems.length > 0;
    console.log(`${problems.length ? "FAIL" : "ok  "} ${method} ${path} ${answer.status} ${problems.join("; ")}`);
}
console.log(`${requests.length - failures} of ${requests.length} answers are as documented`);
process.exit(failures ? 1 : 0);
