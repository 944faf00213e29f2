/** The control worker's door: ports, memory and the real clock go to the loop and its service. Starts the ticking at once, so that Stop is heard before there is an arm. */
import type { ControlReport } from '#contracts/control.ts';
import type { WorkerBoot } from '#contracts/worker.ts';
import { systemClock } from '#core/lib/clock.ts';
import { FailureError } from '#core/lib/failure.ts';
import { consoleLog } from '#core/telemetry/console-log.ts';
import { serveWorker } from '#workers/shared/serve.ts';
import { inferenceLink, type InferenceLink } from './inference-link.ts';
import { ControlLoop } from './loop.ts';
import { Bench } from './bench.ts';
import { openArm } from './open-arm.ts';
import { startSchedule } from './schedule.ts';
import { browserPorts } from './serial-port.ts';
import { virtualBench } from './virtual-bench.ts';
import { ControlService } from './service.ts';

/** LeRobot's default; `setRate` changes it. */
const RATE_HZ = 30;

serveWorker<ControlService>({
  name: 'control',
  start: async (boot, renewals) => {
    const clock = systemClock();
    const log = consoleLog('control');
    const reports = portNamed(boot, 'reports');
    const links: { inference: InferenceLink | null } = { inference: null };
    const loop = new ControlLoop({
      rateHz: RATE_HZ,
      armSlot: boot.memory.arm,
      stopFlag: boot.memory.stop,
      ask: (request) => links.inference?.ask(request),
      report: (report: ControlReport) => reports.postMessage(report),
      log,
    });
    const inference = inferenceLink(portNamed(boot, 'inference'), {
      receive: (message) => loop.receive(message, clock.nowMs()),
      lost: (failure) => loop.inferenceLost(failure),
    });
    links.inference = inference;
    renewals.onRenewed('inference', (port) => inference.use(port));
    const schedule = startSchedule(clock, 1000 / RATE_HZ, (time) => loop.tick(time));
    const bench = new Bench({ clock, serial: browserPorts(), virtual: virtualBench(boot.memory, clock) });
    return new ControlService({ loop, schedule, clock, bench, openArm: (kind, body) => openArm(kind, body, { memory: boot.memory, bench }) });
  },
});

function portNamed(boot: WorkerBoot, name: string): MessagePort {
  const port = boot.ports[name];
  if (port === undefined) throw new FailureError('internal', { message: `the boot message has no port '${name}'` });
  return port;
}
