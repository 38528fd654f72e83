"""Commands that scripts/setup.sh deploy has put into folders of their own."""
import os
import subprocess

from . import terraform as tf


def folder(name):
    return tf.TOOLS / "py" / name


def call(group, command, *arguments, cwd=tf.ROOT, timeout=300, env=None):
    """Runs a command of a folder; what it says and how it ended."""
    path = folder(group) / "bin" / command
    if not path.exists():
        raise tf.Failed(f"{command} is missing: make setup-deploy installs it")
    return subprocess.run([path, *map(str, arguments)], cwd=cwd, timeout=timeout, text=True, capture_output=True, env={
        **os.environ, "PYTHONPATH": str(folder(group)), "PATH": f"{path.parent}{os.pathsep}{os.environ['PATH']}", **(env or {})})
