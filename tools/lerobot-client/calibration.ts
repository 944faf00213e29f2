/**
 * The other half of the proof with LeRobot's client: files. Run by hand.
 *
 *   npx tsx tools/lerobot-client/calibration.ts check FILE     reads LeRobot's file, writes it again, compares byte by byte
 *   npx tsx tools/lerobot-client/calibration.ts own            prints the virtual arm's calibration, for `drive.py --use`
 */
import { readFileSync } from 'node:fs';
import { formatCalibration, parseCalibration } from '#core/arm/serial/calibration.ts';
import { virtualCalibration } from '#core/arm/virtual/virtual-arm.ts';

const [verb, path] = process.argv.slice(2);
if (verb === 'own') {
  process.stdout.write(formatCalibration(virtualCalibration()));
} else if (verb === 'check' && path !== undefined) {
  const text = readFileSync(path, 'utf8');
  const same = formatCalibration(parseCalibration(text)) === text;
  console.info(same ? `${text.length} characters, the same after reading and writing` : 'differs after reading and writing');
  process.exitCode = same ? 0 : 1;
} else {
  console.error('calibration.ts check FILE | own');
  process.exitCode = 2;
}
