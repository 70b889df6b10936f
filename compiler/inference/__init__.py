"""Running an exported model: onnxruntime sessions on the device that is really used, and images classified.

In: an ONNX file, images. Out: classes or features for each image. Needs neither torch nor onnx: of the other rooms only
`data.decode`, `data.preprocessing` and `weights.model_metadata` are imported.
"""
