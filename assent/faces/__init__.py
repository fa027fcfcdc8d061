"""Model packs, decoding, detection, alignment, templates, derivatives; never decides whether a face may be processed."""

import os

# Since 1.29 onnxruntime reports sessions and model names to its maker, and keeps a device id and a queue in the home folder. It
# reads this when it is first imported, which is why it stands here, before any module of the package can import it.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
