"""CUDA's streams as `torch.cuda` hands them out, without a GPU: which is current, which waits for which."""

from contextlib import contextmanager, nullcontext


class FakeStream:
    def __init__(self, name, waits):
        self.name = name
        self.waits = waits

    def wait_stream(self, other):
        self.waits.append((self.name, other.name))


class FakeCuda:
    """Takes the place of the module; `seen` is the current stream's name at each step, and whether it was recorded."""

    def __init__(self):
        self.waits, self.seen = [], []
        self.current = FakeStream("first", self.waits)
        self.is_recording = False

    def device(self, _):
        return nullcontext()

    def current_stream(self):
        return self.current

    def Stream(self):  # noqa: N802
        return FakeStream("aside", self.waits)

    @contextmanager
    def stream(self, stream):
        before, self.current = self.current, stream
        try:
            yield
        finally:
            self.current = before

    def CUDAGraph(self):  # noqa: N802
        return FakeGraph()

    @contextmanager
    def graph(self, _):
        """Record; as with PyTorch's own a failure is told as it ends, before the stream is left."""
        before, self.current, self.is_recording = self.current, FakeStream("recorded", self.waits), True
        try:
            yield
        except RuntimeError as error:
            raise RuntimeError("CUDA error: operation failed due to a previous error during capture") from error
        self.current, self.is_recording = before, False

    def note_step(self):
        self.seen.append((self.current.name, self.is_recording))


class FakeGraph:
    def replay(self):
        pass
