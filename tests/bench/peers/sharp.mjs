/* SPDX-License-Identifier: MIT */
/*
 * sharp: sharp.mjs exact|cheap JOBS OUTPUT PICTURE...
 *
 * `exact` blurs at full size, then shrinks: two pipelines, since one shrinks first whatever the
 * order of the calls. `cheap` is that one, with the decoder's help and as much less blur. JOBS
 * pictures at once with one thread each: two threads for one picture after the other were slower.
 */
import { createRequire } from 'node:module';
import path from 'node:path';

/* An import would not look into NODE_PATH. */
const sharp = createRequire(import.meta.url)('sharp');
const BOX = 1200;
const SIGMA = 15;

const shrink = (image) => image.resize(BOX, BOX, { fit: 'inside', withoutEnlargement: true });

async function exact(picture) {
  const { data, info } = await sharp(picture).blur(SIGMA).raw().toBuffer({ resolveWithObject: true });
  return shrink(sharp(data, { raw: info }));
}

async function cheap(picture) {
  const image = sharp(picture);
  const { width, height } = await image.metadata();
  return shrink(image).blur(SIGMA / Math.max(1, width / BOX, height / BOX));
}

const [mode, jobs, output, ...pictures] = process.argv.slice(2);
const blurred = { exact, cheap }[mode];

async function work() {
  for (let picture; (picture = pictures.shift()) !== undefined; ) {
    const image = await blurred(picture);
    await image.jpeg({ quality: 75, force: false }).toFile(path.join(output, path.basename(picture)));
  }
}

sharp.concurrency(1);
await Promise.all(Array.from({ length: Number(jobs) }, work));
