/**
 * Failures as plain data: a code and the facts. No words live here: `src/page/words` says, per code, what happened and
 * what to do next. Plain data because a thrown class does not survive the wall between page and worker
 * (comlink 4.4.2 keeps only name, message and stack).
 */

export type FailureCode =
  // checkpoints: found at the door, before anything runs
  | 'checkpoint/file-missing' // facts: file, source
  | 'checkpoint/file-truncated' // facts: file, expectedBytes, foundBytes
  | 'checkpoint/file-corrupt' // facts: file, reason
  | 'checkpoint/unsupported' // facts: what, found
  | 'checkpoint/tensor-missing' // facts: tensor
  | 'checkpoint/tensor-shape' // facts: tensor, expected, found
  | 'checkpoint/tensor-dtype' // facts: tensor, found
  | 'checkpoint/not-finite' // facts: tensor, index
  | 'checkpoint/statistics-missing' // facts: feature
  | 'checkpoint/config' // facts: field, expected, found
  | 'checkpoint/lfs-pointer' // facts: file. A note of Git LFS in place of the file
  | 'checkpoint/base-missing' // facts: base. A LoRA adapter whose base model is not at hand
  | 'checkpoint/changed' // facts: file. It changed on the host while it was read
  // the model store on this machine
  | 'store/unavailable' // facts: reason
  | 'store/full' // facts: neededBytes, freeBytes
  | 'store/not-found' // facts: name
  | 'store/corrupt' // facts: name, file
  | 'store/busy' // facts: name. Another tab works on it
  | 'download/failed' // facts: url, status
  | 'download/cancelled'
  | 'hub/not-allowed' // facts: id, status
  | 'hub/not-found' // facts: id, revision
  | 'hub/busy' // facts: id, status, retryAfterSeconds
  | 'hub/name' // facts: found. Not the name of a model on the Hub
  | 'policy/preflight' // facts: check. A red line of the list stands against it
  // observation
  | 'observation/camera-missing' // facts: camera, present
  | 'observation/camera-stale' // facts: camera, ageMs, limitMs
  | 'observation/camera-failed' // facts: camera, reason
  | 'observation/camera-frozen' // facts: camera, forMs
  | 'observation/camera-dark' // facts: camera
  | 'observation/camera-unplugged' // facts: camera, device
  | 'observation/camera-swapped' // facts: camera, other
  | 'camera/refused'
  | 'camera/busy' // facts: device
  | 'camera/not-found' // facts: device
  | 'camera/unsupported' // facts: what
  | 'observation/state-stale' // facts: ageMs, limitMs
  | 'observation/state-size' // facts: expected, found
  | 'observation/sentence-missing'
  | 'observation/sentence-too-long' // facts: tokens, limit
  // datasets and recording
  | 'dataset/file-missing' // facts: file, source
  | 'dataset/invalid' // facts: file, expected, found
  | 'dataset/unsupported' // facts: what, found
  | 'dataset/units' // facts: most
  | 'recording/unavailable' // facts: what
  | 'recording/no-room' // facts: freeBytes
  | 'recording/ended' // facts: reason
  // inference
  | 'engine/no-webgpu' // facts: reason
  | 'engine/self-test-failed' // facts: test, expected, found
  | 'engine/software-gpu' // facts: vendor, architecture
  | 'engine/cpu-weights'
  | 'engine/device-lost' // facts: reason, message
  | 'engine/session-failed' // facts: graph, message
  | 'engine/unavailable' // facts: engine, reason
  | 'policy/none-loaded'
  | 'policy/no-reference' // facts: precision. Asked to compare a policy with its float32 self, which it is, or which is not here
  | 'policy/reference-too-large' // facts: packBytes, limitBytes
  | 'policy/output-not-finite' // facts: row, column
  | 'policy/tokenizer-missing'
  | 'policy/timeout' // facts: limitMs
  // the arm and the control loop
  | 'arm/not-connected'
  | 'arm/reading-failed' // facts: reason
  | 'arm/unsupported' // facts: kind
  | 'arm/other-body' // facts: wanted, found (names of robots): another arm stands there than the one it would be guarded as
  | 'arm/port-lost' // facts: reason
  | 'arm/check-failed' // facts: what, found, wanted: a step of the hardware check measured something else than it must
  | 'serial/unsupported'
  | 'serial/no-port'
  | 'serial/another-tab'
  | 'serial/which-arm' // facts: count. More than one arm is plugged in, and nobody has said which is the leader
  | 'serial/blocked' // facts: message
  | 'serial/open-failed' // facts: name, message
  | 'arm/refused' // facts: finding (a FindingCode of contracts/serial.ts, with its facts beside it)
  | 'arm/servo-lost' // facts: id, joint, reason
  | 'arm/servo-fault' // facts: id, joint, errors
  | 'arm/servo-limp' // facts: id, joint
  | 'arm/not-one-motor' // facts: found
  | 'arm/calibration-doubtful' // facts: joint, doubt
  | 'arm/not-kept' // facts: id, joint, register, wrote, found
  | 'arm/torque-still-on' // facts: ids
  | 'arm/leader-missing' // no other arm is plugged in, or none was found yet
  | 'arm/leader-lost' // facts: reason. It stopped answering while it led
  | 'arm/moved-at-start' // facts: id, joint, steps, limit
  | 'arm/calibration-invalid' // facts: path, expected, found
  | 'control/state-stale' // facts: ageMs, limitMs
  | 'control/not-finite' // facts: joint
  | 'control/stop-not-confirmed' // facts: waitedMs
  | 'control/busy' // facts: mode
  | 'control/rest-not-reached' // facts: joint, offDegrees. Lowering ended above rest: it holds
  | 'control/out-of-range' // facts: what, found, least, most
  // safety
  | 'safety/latched' // facts: rule
  | 'safety/locked' // facts: profile
  | 'safety/would-loosen' // facts: field
  | 'safety/profile-invalid' // facts: field, expected, found
  // the world
  | 'world/context-lost' // facts: camera ('view' = the page's own, 'all' = the simulated cameras, drawn on one surface)
  | 'world/no-webgl' // facts: reason
  | 'world/physics' // facts: message
  // the house
  | 'worker/died' // facts: worker, message
  | 'worker/deadline' // facts: worker, call, waitedMs
  | 'page/not-isolated'
  | 'run/file-invalid' // facts: path, expected, found
  | 'run/scene-mismatch' // facts: expected, found
  | 'run/version-mismatch' // facts: expected, found
  | 'run/already-running'
  | 'run/cancelled' // Stop was pressed before it began
  | 'internal'; // facts: message, and where it was thrown for what escaped every door. A defect of ours: the text is shown with a request to report it.

export type Fact = string | number | boolean | null;

export interface Failure {
  readonly code: FailureCode;
  readonly facts: Readonly<Record<string, Fact>>;
}

/** What crosses a worker wall: a value, or a failure as plain data. Never a thrown class. */
export type Outcome<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly failure: Failure };
