// nlp.js: `train TRAIN.jsonl MODEL` writes a model; `run MODEL PART.jsonl` prints "label score" a
// line, then a line of JSON with times and memory.
'use strict';
const fs = require('fs');
const { NlpManager } = require(require.resolve('node-nlp', { paths: [process.env.NLPJS_FOLDER] }));

const [mode, first, second] = process.argv.slice(2);
const rows = (file) =>
  fs.readFileSync(file, 'utf8').trim().split('\n').map((line) => JSON.parse(line));
const quantile = (values, share) =>
  [...values].sort((a, b) => a - b)[Math.floor(share * (values.length - 1))];
const manager = () =>
  new NlpManager({ languages: ['en'], autoSave: false, autoLoad: false, nlu: { log: false } });

async function train() {
  const nlp = manager();
  for (const row of rows(first)) nlp.addDocument('en', row.text, row.intent);
  await nlp.train();
  fs.writeFileSync(second, nlp.export(true));
}

async function run() {
  const nlp = manager();
  nlp.import(fs.readFileSync(first, 'utf8'));
  const queries = rows(second).map((row) => row.text);
  for (const text of queries.slice(0, 500)) await nlp.process('en', text);
  const resident = Math.round(process.memoryUsage().rss / 1024);
  const each = [];
  const begin = process.hrtime.bigint();
  const answers = [];
  for (const text of queries) {
    const start = process.hrtime.bigint();
    const found = await nlp.process('en', text);
    each.push(Number(process.hrtime.bigint() - start) / 1000);
    // Nothing rejected: "None" is its word for a score under its own threshold.
    answers.push(found.classifications.find((one) => one.intent !== 'None'));
  }
  const seconds = Number(process.hrtime.bigint() - begin) / 1e9;
  for (const top of answers) console.log(top ? `${top.intent} ${top.score}` : '- 0');
  console.log(JSON.stringify({
    p50_us: quantile(each, 0.5), p99_us: quantile(each, 0.99),
    queries_per_second: queries.length / seconds, rss_kib: resident,
  }));
}

(mode === 'train' ? train() : run()).catch((error) => {
  console.error(error);
  process.exit(1);
});
