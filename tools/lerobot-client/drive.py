"""LeRobot's own SO-100 follower against the virtual servos, over a pseudo terminal. Run by hand, never in CI.

Needs Python >= 3.12 with LeRobot importable (a checkout's `src` on PYTHONPATH is enough) and its feetech extra
(feetech-servo-sdk, pyserial, deepdiff), and the servos:

    npm run virtual-arm -- --tcp 7788 --state new --hand
    python tools/lerobot-client/drive.py --tcp 7788 --out calibration.json

What it does, with nothing of LeRobot's replaced but the two places where it waits for a key: connect and handshake,
calibrate, configure, read all six, move all six and read them back, let go, connect again and find its own calibration
in the servos. Everything is checked; the exit status says whether all of it held.
"""

import argparse
import atexit
import builtins
import contextlib
import json
import os
import pty
import select
import signal
import socket
import sys
import tempfile
import time
import tty
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path


def bridge(host: str, port: int) -> str:
    """A pseudo terminal whose other end is the TCP port. Returns the device's name.

    In a process of its own: the SDK polls the device without pause, and a thread beside it would not get its turn in time.
    """
    master, slave = pty.openpty()
    tty.setraw(slave)
    tty.setraw(master)
    wire = socket.create_connection((host, port), timeout=5)
    wire.settimeout(None)
    wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    child = os.fork()
    if child == 0:
        # LeRobot waits 50 ms for an answer and the SDK spins while it waits: where it is allowed, this end goes first.
        with contextlib.suppress(PermissionError):
            os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(10))
        while True:
            for ready in select.select([master, wire], [], [])[0]:
                data = os.read(master, 4096) if ready is master else wire.recv(4096)
                if not data:
                    os._exit(0)
                if ready is master:
                    wire.sendall(data)
                else:
                    os.write(master, data)
    atexit.register(os.kill, child, signal.SIGTERM)
    return os.ttyname(slave)


class Checks:
    def __init__(self):
        self.failed = 0
        self.started = time.perf_counter()

    def say(self, what: str, held: bool, facts: object = ""):
        self.failed += not held
        print(f"{time.perf_counter() - self.started:7.2f} s  {'ok  ' if held else 'FAIL'}  {what}  {facts}", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--tcp", type=int, required=True)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--out", type=Path, help="where LeRobot's calibration file is copied to")
    parser.add_argument("--use", type=Path, help="a calibration file to start from instead of calibrating; LeRobot writes it to the servos")
    parser.add_argument("--sweep-seconds", type=float, default=5)
    arguments = parser.parse_args()

    home = tempfile.mkdtemp(prefix="calibration-")
    os.environ["HF_LEROBOT_CALIBRATION"] = home
    import lerobot.motors.motors_bus as motors_bus
    from lerobot.robots.so_follower import SO100FollowerConfig, SOFollower

    device = bridge(arguments.host, arguments.tcp)
    checks = Checks()
    try:
        release = version("lerobot")
    except PackageNotFoundError:
        release = "from source"
    print(f"lerobot {release}, scservo_sdk {version('feetech-servo-sdk')}, Python {sys.version.split()[0]}, device {device}")

    # A person at the keyboard: Enter at each prompt, and Enter when the sweep is over.
    asked: list[str] = []
    sweep_until = [0.0]

    def answer(prompt: str = "") -> str:
        asked.append(prompt)
        sweep_until[0] = time.perf_counter() + arguments.sweep_seconds
        return ""

    builtins.input = answer
    motors_bus.enter_pressed = lambda: time.perf_counter() > sweep_until[0]
    motors_bus.move_cursor_up = lambda lines: None

    config = SO100FollowerConfig(port=device, id="virtual", calibration_dir=Path(home))
    if arguments.use is not None:
        (Path(home) / "virtual.json").write_text(arguments.use.read_text())
    robot = SOFollower(config)
    names = list(robot.bus.motors)

    sys.stdout.flush()
    said = sys.stdout
    with open(os.devnull, "w") as quiet:  # LeRobot's live table of the sweep
        sys.stdout = quiet
        try:
            robot.connect()
        finally:
            sys.stdout = said
    checks.say("connect: port, ping of six ids, model numbers, one firmware", robot.is_connected, f"{len(names)} motors")
    checks.say("calibrate: every prompt answered", len(asked) == 1, [prompt.strip()[:60] for prompt in asked])
    file = json.loads((Path(home) / "virtual.json").read_text())
    if arguments.use is not None:
        checks.say("the given calibration is the one in use", file == json.loads(arguments.use.read_text()))
    for name in names:
        motor = file[name]
        span = motor["range_max"] - motor["range_min"]
        checks.say(f"calibration of {name}", 800 < span <= 4095 and abs(motor["homing_offset"]) <= 2047, motor)
    checks.say("what the servos keep is what the file says", robot.bus.is_calibrated)

    bus = robot.bus
    expected = {"P_Coefficient": 16, "I_Coefficient": 0, "D_Coefficient": 32, "Return_Delay_Time": 0, "Operating_Mode": 0, "Maximum_Acceleration": 254, "Acceleration": 254, "Lock": 1, "Torque_Enable": 1}
    for register, value in expected.items():
        found = {name: bus.read(register, name, normalize=False) for name in names}
        checks.say(f"configure: {register} = {value}", set(found.values()) == {value}, sorted(set(found.values())))
    for register, value in {"Max_Torque_Limit": 500, "Protection_Current": 250, "Overload_Torque": 25}.items():
        found = bus.read(register, "gripper", normalize=False)
        checks.say(f"configure: gripper {register} = {value}", found == value, found)

    observation = robot.get_observation()
    checks.say("read all six", list(observation) == [f"{name}.pos" for name in names], {key: round(value, 1) for key, value in observation.items()})

    goals = [{"shoulder_pan": 20, "shoulder_lift": -30, "elbow_flex": 25, "wrist_flex": -15, "wrist_roll": 40, "gripper": 60}, dict.fromkeys(names, 5.0)]
    for goal in goals:
        sent = robot.send_action({f"{name}.pos": float(goal[name]) for name in names})
        time.sleep(2)
        found = robot.get_observation()
        worst = max(abs(found[key] - sent[key]) for key in sent)
        checks.say("write all six, read them two seconds later", worst < 0.5, f"worst {worst:.3f} of a degree or percent")

    took = []
    for _ in range(100):
        before = time.perf_counter()
        robot.get_observation()  # LeRobot's own two retries
        took.append((time.perf_counter() - before) * 1000)
    took.sort()
    checks.say("100 observations", True, f"p50 {took[50]:.2f} ms, p99 {took[98]:.2f} ms; a lost answer costs LeRobot 50 ms")

    robot.disconnect()
    again = SOFollower(SO100FollowerConfig(port=device, id="virtual", calibration_dir=Path(home)))
    asked.clear()
    again.connect()
    checks.say("connect again: the calibration is found, nothing is asked", not asked and again.bus.is_calibrated)
    again.bus.disable_torque()
    limp = {name: again.bus.read("Torque_Enable", name, normalize=False) for name in names}
    checks.say("torque off", set(limp.values()) == {0}, limp)
    again.disconnect()

    if arguments.out is not None:
        arguments.out.write_text((Path(home) / "virtual.json").read_text())
    print(f"{checks.failed} failed")
    return 1 if checks.failed else 0


if __name__ == "__main__":
    sys.exit(main())
