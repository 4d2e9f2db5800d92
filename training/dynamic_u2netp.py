"""Make U²-Net-p's ONNX file take any input size that is a multiple of 32, and drop its side outputs.

python training/dynamic_u2netp.py u2netp.onnx out.onnx        (needs the package onnx)
"""

import sys

import onnx


def main(source: str, target: str) -> None:
    """Rewrite the declared input size; the graph inside is fully convolutional."""
    model = onnx.load(source)
    dims = model.graph.input[0].type.tensor_type.shape.dim
    for index, name in ((2, "h"), (3, "w")):
        dims[index].ClearField("dim_value")
        dims[index].dim_param = name
    del model.graph.value_info[:]
    del model.graph.output[1:]
    model.graph.output[0].type.tensor_type.ClearField("shape")
    onnx.save(model, target)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
