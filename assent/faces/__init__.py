"""Model packs, decoding, detection, alignment, templates, derivatives; never decides whether a face may be processed."""

import os

# Since 1.29 onnxruntime reports sessions and model names to its maker, and keeps a device id and a queue in the home folder. It
# reads this when it is first imported, which is why it stands here, before any module of the package can import it.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
# What a decoder of video complains of is somebody's picture and belongs into no log; and it takes the one container that we write, whatever
# the bytes look like and whatever the machine's environment says. OpenCV reads both at each opening.
os.environ["OPENCV_FFMPEG_LOGLEVEL"] = "-8"
os.environ["OPENCV_FFMPEG_CAPTURE_OPTIONS"] = "input_format;mov"
