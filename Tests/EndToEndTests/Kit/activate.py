"""Makes a socket and hands it down as a service manager would: activate.py NAME PATH COMMAND..."""
import os, socket, sys

name, path, command = sys.argv[1], sys.argv[2], sys.argv[3:]
os.makedirs(os.path.dirname(path), exist_ok=True)
if os.path.exists(path):
    os.unlink(path)
listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
listener.bind(path)
listener.listen(64)
# Out of the way first: it may be 3 itself, and then would be closed by exec.
spare = os.dup(listener.fileno())
os.dup2(spare, 3, inheritable=True)
if spare != 3:
    os.close(spare)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1", LISTEN_FDNAMES=name)
os.execvp(command[0], command)
