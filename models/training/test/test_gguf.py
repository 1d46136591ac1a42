"""Checks of the file format. They need numpy and are skipped without it.  usage: python3 -m unittest discover test"""

import tempfile
import unittest
from pathlib import Path

try:
    import numpy as np
except ImportError:
    np = None

MODEL = Path(__file__).parents[2] / "ruminate-nano-q8_0.gguf"


@unittest.skipIf(np is None, "needs numpy")
class Gguf(unittest.TestCase):
    def test_q8_0_keeps_values_to_half_a_step(self):
        from nano.gguf import from_q8_0, to_q8_0

        x = np.random.default_rng(1).standard_normal((8, 64)).astype(np.float32)
        error = np.abs(from_q8_0(to_q8_0(x)).reshape(x.shape) - x)
        self.assertLess(error.max(), np.abs(x).max() / 127)

    def test_weights_cut_and_joined_are_the_same(self):
        from nano import weights

        flat = np.arange(weights.SIZE, dtype=np.float32)
        named = weights.split(flat)
        back = weights.from_gguf_names(weights.to_gguf_names(named))
        self.assertEqual(list(back), list(named))
        self.assertTrue(all(np.array_equal(back[name], named[name]) for name in named))

    def test_exporting_the_shipped_model_gives_its_bytes(self):
        from nano import weights
        from nano.export import export
        from nano.gguf import read_gguf

        _, tensors = read_gguf(MODEL)
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder) / "again.gguf"
            export(weights.from_gguf_names(tensors), out)
            self.assertTrue(out.read_bytes() == MODEL.read_bytes())


if __name__ == "__main__":
    unittest.main()
