"""Running an exported model: onnxruntime sessions on the device that is really used, and images classified.

In: an ONNX file, images. Out: classes or features for each image. The file may come from anybody: its session is in a
process of its own, `serve`, which `model_process` starts and talks to. Needs neither torch nor onnx: of the other rooms
only `data.decode`, `data.preprocessing` and `weights.model_metadata` are imported.
"""
