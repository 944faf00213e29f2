/**
 * Virtual servos on a TCP port, byte for byte what an SO-100's bus carries, so that other programs can talk to them:
 *
 *   npm run virtual-arm -- --tcp 7777                     six calibrated servos
 *   npm run virtual-arm -- --tcp 7777 --state new         as delivered, ids set
 *   npm run virtual-arm -- --tcp 7777 --echo              an adapter that sends back what it is told
 *
 * Programs that want a serial device get one from socat: `socat pty,link=/tmp/arm,raw,echo=0 tcp:127.0.0.1:7777`. Nothing
 * behind the servos but joints with stops. With `--hand` a person stands beside them who does what a calibrating program asks:
 * holds the limp joints in the middle until their homing offsets are written, then sweeps them from stop to stop. Answers
 * are not slowed to the wire's pace.
 */
import { createServer, type Socket } from 'node:net';
import { parseArgs } from 'node:util';
import type { Clock } from '#contracts/time.ts';
import { JOINT_COUNT } from '#contracts/joints.ts';
import { createBus } from '#core/arm/serial/feetech/bus.ts';
import { scanBus } from '#core/arm/serial/scan.ts';
import { SO100 } from '#core/robots/so100.ts';
import { virtualArm, virtualPlant } from '#core/arm/virtual/virtual-arm.ts';

const USAGE = 'npm run virtual-arm -- --tcp PORT [--host 127.0.0.1] [--state calibrated|new] [--echo] [--hand]';
/** Joint firmware runs at 100 Hz here; requests bring it up to date besides. */
const FIRMWARE_MS = 10;
/** The hand sweeps each joint from stop to stop in this long. */
const HAND_PERIOD_S = 4;
const NO_WIRE_TIME_BAUD = 1e12;

const { values } = parseArgs({
  options: { tcp: { type: 'string' }, host: { type: 'string', default: '127.0.0.1' }, state: { type: 'string', default: 'calibrated' }, echo: { type: 'boolean', default: false }, hand: { type: 'boolean', default: false } },
});
const port = Number(values.tcp);
if (!Number.isInteger(port) || port < 0 || port > 65_535 || values.tcp === undefined || (values.state !== 'calibrated' && values.state !== 'new')) {
  console.error(USAGE);
  process.exit(2);
}

/** Timers alone: the exact clock waits out its last millisecond awake, which a server must not. */
const clock: Clock = {
  nowMs: () => performance.timeOrigin + performance.now(),
  sleepUntil(atMs) {
    const waitMs = atMs - clock.nowMs();
    return waitMs <= 0 ? Promise.resolve() : new Promise((resolve) => setTimeout(resolve, waitMs));
  },
};
const middle = SO100.joints.map((joint) => (joint.least + joint.most) / 2);
const plant = virtualPlant(values.hand ? middle : SO100.homePose);
const arm = virtualArm({ clock, plant, baud: NO_WIRE_TIME_BAUD, state: values.state, echo: values.echo ? 'yes' : 'no' });
arm.run(FIRMWARE_MS);

if (values.hand) {
  let startedMs: number | null = null;
  setInterval(() => {
    const homed = arm.servos.every((servo) => servo.peek('homingOffset') !== 0);
    if (startedMs === null && homed) startedMs = clock.nowMs();
    const phase = startedMs === null ? 0 : Math.sin(((clock.nowMs() - startedMs) / 1000 / HAND_PERIOD_S) * 2 * Math.PI);
    for (let joint = 0; joint < JOINT_COUNT; joint++) {
      const description = SO100.joints[joint];
      const servo = arm.servos[joint];
      if (description === undefined || servo === undefined || servo.holding) continue;
      plant.put(joint, (middle[joint] as number) + (phase * (description.most - description.least)) / 2);
    }
  }, FIRMWARE_MS);
}

// A first look from inside: other programs wait 50 ms for an answer, and code that never ran before can take as long.
await scanBus(createBus(arm.link, { clock }), { clock, baud: 1_000_000, expectedIds: arm.servos.map((servo) => servo.id) });

// One wire, one program: a second connection replaces the first, as a second cable would not.
let connected: Socket | null = null;
arm.link.onBytes((bytes) => connected?.write(bytes));
const server = createServer((socket) => {
  connected?.destroy();
  connected = socket;
  socket.setNoDelay(true);
  socket.on('data', (bytes) => void arm.link.write(bytes));
  socket.on('error', () => socket.destroy());
  socket.on('close', () => {
    if (connected === socket) connected = null;
  });
});
server.listen(port, values.host, () => {
  const address = server.address();
  const listening = typeof address === 'object' && address !== null ? address.port : port;
  console.info(`virtual servos 1 to 6 (${values.state}) on tcp ${values.host}:${listening}`);
  console.info(`as a serial device: socat pty,link=/tmp/virtual-arm,raw,echo=0 tcp:${values.host}:${listening}`);
});
