"""Whole graphs, as exporters write them: Keras models frozen by `convert_variables_to_constants_v2`,
and the forms of TensorFlow 1's networks (slim). TensorFlow says what they give; those of which the
answer is not computed here (loops) have no answers, and have to be refused."""

import itertools

from graphs import NATIVE, Skip, judge, tf, v1

import keras
import numpy as np
from keras import layers
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

RANDOM = np.random.RandomState(11)


def f(*shape, low=-1.0, high=1.0):
    return RANDOM.uniform(low, high, shape).astype(np.float32)


def write(writer):
    keras.utils.set_random_seed(5)
    for name, build in KERAS.items():
        of_keras(writer, f"keras-{name}", *build())
    for name, build in CLASSIC.items():
        of_classic(writer, f"tf1-{name}", build)
    for one, two in itertools.product(STEPS, repeat=2):
        of_classic(writer, f"pair-{one}-{two}", lambda: pair(STEPS[one], STEPS[two]))


def finish(writer, name, graph, feeds, outputs):
    """Answers for the outputs, which are those nodes that nothing takes from."""
    for node in graph.node:
        node.device = ""
    if "refused" in name:
        writer.write(name, "tensorflow", graph, feeds, {}, subject="-")
        return
    try:
        found = judge(graph, feeds, outputs)
    except Skip as reason:
        raise SystemExit(f"{name}: {reason}") from None
    answers = {o: np.asarray(a) for o, a in zip(outputs, found)}
    assert all(a.dtype.name in NATIVE for a in answers.values()), name
    writer.write(name, "tensorflow", graph, feeds, answers, subject="-")


def of_keras(writer, name, model, feeds):
    """The batch is open."""
    for weight in model.weights:
        if "moving_variance" in weight.path or "gamma" in weight.path:
            weight.assign(f(*weight.shape, low=0.3, high=1.5))
        elif "seed" not in weight.path:
            weight.assign(f(*weight.shape) if weight.dtype == "float32" else weight)
    specs = [tf.TensorSpec([None, *a.shape[1:]], a.dtype, name=f"x{i}") for i, a in enumerate(feeds)]
    function = tf.function(lambda *a: model(list(a) if len(a) > 1 else a[0], training=False))
    frozen = convert_variables_to_constants_v2(function.get_concrete_function(*specs))
    names = [tensor.op.name for tensor in frozen.inputs]
    finish(writer, name, frozen.graph.as_graph_def(), dict(zip(names, feeds)), [tensor.op.name for tensor in frozen.outputs])


def model(shape, *stack, dtype="float32"):
    given = keras.Input(shape, dtype=dtype)
    x = given
    for layer in stack:
        x = layer(x)
    return keras.Model(given, x)


def residual():
    given = keras.Input((8, 8, 3))
    x = layers.Conv2D(4, 3, padding="same", use_bias=False)(given)
    x = layers.ReLU()(layers.BatchNormalization()(x))
    y = layers.BatchNormalization()(layers.Conv2D(4, 3, padding="same")(x))
    x = layers.ReLU()(layers.Add()([x, y]))
    side = layers.AveragePooling2D(3, 1, padding="same")(x)
    x = layers.Concatenate()([x, side, layers.MaxPooling2D(3, 1, padding="same")(x)])
    gate = layers.Dense(12, activation="sigmoid")(layers.GlobalAveragePooling2D(keepdims=True)(x))
    x = layers.Multiply()([x, gate])
    return keras.Model(given, layers.Dense(5, activation="softmax")(layers.GlobalAveragePooling2D()(x)))


def several():
    a, b = keras.Input((4,)), keras.Input((3,))
    x = layers.Concatenate()([layers.Dense(3, activation="tanh")(a), b])
    return keras.Model([a, b], [layers.Dense(2, activation="softmax")(x), layers.Dense(1)(x)])


def attention():
    given = keras.Input((5, 8))
    x = layers.LayerNormalization()(given)
    x = layers.Add()([given, layers.MultiHeadAttention(2, 4)(x, x)])
    y = layers.Dense(8)(layers.Dense(16, activation="gelu")(layers.LayerNormalization()(x)))
    return keras.Model(given, layers.GlobalAveragePooling1D()(layers.Add()([x, y])))


def activations():
    given = keras.Input((6,))
    names = ["elu", "selu", "gelu", "silu", "softplus", "softsign", "tanh", "sigmoid", "hard_sigmoid", "exponential", "leaky_relu", "relu6", "mish", "log_softmax"]
    return keras.Model(given, [layers.Activation(name)(layers.Dense(3)(given)) for name in names])


IMAGE = lambda *shape: [f(2, *shape)]
KERAS = {
    "dense": lambda: (model((6,), layers.Dense(5, activation="relu"), layers.Dense(3, activation="softmax")), [f(2, 6)]),
    "conv": lambda: (model((9, 9, 3), layers.Conv2D(4, 3, strides=2, padding="same"), layers.BatchNormalization(), layers.ReLU(), layers.MaxPooling2D(2), layers.Dropout(0.5), layers.Flatten(), layers.Dense(3, activation="softmax")), IMAGE(9, 9, 3)),
    "mobile": lambda: (model((12, 12, 3), layers.ZeroPadding2D(((0, 1), (0, 1))), layers.Conv2D(4, 3, strides=2, use_bias=False), layers.BatchNormalization(), layers.ReLU(6.0), layers.DepthwiseConv2D(3, padding="same", use_bias=False), layers.BatchNormalization(), layers.ReLU(6.0), layers.SeparableConv2D(6, 3, strides=2, padding="same"), layers.GlobalAveragePooling2D(), layers.Reshape((1, 1, 6)), layers.Conv2D(5, 1), layers.Reshape((5,)), layers.Activation("softmax")), IMAGE(12, 12, 3)),
    "residual": lambda: (residual(), IMAGE(8, 8, 3)),
    "activations": lambda: (activations(), [f(2, 6, low=-3, high=3)]),
    "leaky": lambda: (model((4, 4, 2), layers.Conv2D(3, 3, padding="same"), layers.LeakyReLU(0.1), layers.PReLU(shared_axes=[1, 2]), layers.GlobalMaxPooling2D()), IMAGE(4, 4, 2)),
    "conv1d": lambda: (model((10, 3), layers.Conv1D(4, 3, padding="causal"), layers.ReLU(), layers.MaxPooling1D(2), layers.AveragePooling1D(2), layers.GlobalMaxPooling1D(), layers.Dense(2)), [f(2, 10, 3)]),
    "dilated": lambda: (model((9, 9, 2), layers.Conv2D(3, 3, dilation_rate=2, padding="same"), layers.DepthwiseConv2D(3, dilation_rate=2, padding="same"), layers.Conv2D(2, 3, dilation_rate=3)), IMAGE(9, 9, 2)),
    "groups-refused": lambda: (model((5, 5, 4), layers.Conv2D(6, 3, groups=2)), IMAGE(5, 5, 4)),
    "lstm-unrolled": lambda: (model((3, 4), layers.LSTM(5, unroll=True, return_sequences=True), layers.LSTM(3, unroll=True), layers.Dense(2)), [f(2, 3, 4)]),
    "gru-unrolled": lambda: (model((3, 4), layers.GRU(5, unroll=True, return_sequences=True), layers.GRU(3, unroll=True, reset_after=False), layers.Dense(2)), [f(2, 3, 4)]),
    "rnn-unrolled": lambda: (model((3, 4), layers.SimpleRNN(5, unroll=True)), [f(2, 3, 4)]),
    "lstm-refused": lambda: (model((3, 4), layers.LSTM(5)), [f(2, 3, 4)]),
    "embedding": lambda: (model((4,), layers.Embedding(7, 3), layers.GlobalAveragePooling1D(), layers.Dense(2, activation="softmax"), dtype="int32"), [RANDOM.randint(0, 7, (2, 4)).astype(np.int32)]),
    "attention": lambda: (attention(), [f(2, 5, 8)]),
    "norms": lambda: (model((4, 4, 4), layers.GroupNormalization(2), layers.LayerNormalization(), layers.UnitNormalization()), IMAGE(4, 4, 4)),
    "pixels": lambda: (model((6, 6, 3), layers.Rescaling(1 / 127.5, offset=-1), layers.Conv2D(2, 3), layers.Flatten(), dtype="uint8"), [RANDOM.randint(0, 256, (2, 6, 6, 3)).astype(np.uint8)]),
    "several": lambda: (several(), [f(2, 4), f(2, 3)]),
    "axes": lambda: (model((3, 4), layers.Permute((2, 1)), layers.TimeDistributed(layers.Dense(2)), layers.Flatten(), layers.RepeatVector(2), layers.Reshape((4, -1))), [f(2, 3, 4)]),
    "cropping": lambda: (model((6, 7, 2), layers.Cropping2D(((1, 0), (2, 1))), layers.Conv2D(2, 2)), IMAGE(6, 7, 2)),
}


def of_classic(writer, name, build):
    """A graph of TensorFlow 1: `build` gives its inputs by name and its outputs."""
    v1.disable_control_flow_v2()
    with tf.Graph().as_default() as graph, v1.Session(graph=graph) as session:
        v1.disable_resource_variables()
        feeds, outputs = build()
        session.run(v1.global_variables_initializer())
        names = [tensor.op.name for tensor in outputs]
        frozen = v1.graph_util.convert_variables_to_constants(session, graph.as_graph_def(), names)
    finish(writer, name, frozen, feeds, names)


def variable(name, *shape, low=-1.0):
    return v1.get_variable(name, initializer=f(*shape, low=low), use_resource=False)


def given(*shape, name="input"):
    return v1.placeholder(tf.float32, [None, *shape], name=name)


def batch_norm(x, name, fused=True):
    count = x.shape[-1]
    parts = [variable(f"{name}/{part}", count, low=0.3 if part in ("gamma", "moving_variance") else -1) for part in ("gamma", "beta", "moving_mean", "moving_variance")]
    if fused:
        return v1.nn.fused_batch_norm(x, *parts, epsilon=0.001, is_training=False)[0]
    gamma, beta, mean, variance = parts
    return tf.nn.batch_normalization(x, mean, variance, beta, gamma, 0.001)


def slim_mobile():
    x = given(11, 11, 3)
    y = tf.pad(x, [[0, 0], [1, 1], [1, 1], [0, 0]])
    y = tf.nn.conv2d(y, variable("Conv/weights", 3, 3, 3, 4), [1, 2, 2, 1], "VALID")
    y = tf.nn.relu6(batch_norm(y, "Conv/BatchNorm"))
    y = v1.nn.depthwise_conv2d_native(y, variable("dw/weights", 3, 3, 4, 1), [1, 1, 1, 1], "SAME")
    y = tf.nn.relu6(batch_norm(y, "dw/BatchNorm"))
    y = tf.nn.conv2d(y, variable("pw/weights", 1, 1, 4, 6), [1, 1, 1, 1], "SAME")
    y = tf.nn.relu6(batch_norm(y, "pw/BatchNorm"))
    y = tf.nn.avg_pool2d(y, [1, 6, 6, 1], [1, 2, 2, 1], "VALID", name="AvgPool_1a")
    y = tf.nn.bias_add(tf.nn.conv2d(y, variable("Logits/weights", 1, 1, 6, 5), [1, 1, 1, 1], "SAME"), variable("Logits/biases", 5))
    y = tf.squeeze(y, [1, 2], name="SpatialSqueeze")
    shape = tf.shape(y)
    y = tf.reshape(tf.nn.softmax(tf.reshape(y, [-1, 5])), shape, name="Predictions/Reshape_1")
    return {"input": f(2, 11, 11, 3)}, [y]


def inception():
    x = given(8, 8, 4)
    one = tf.nn.relu(tf.nn.bias_add(tf.nn.conv2d(x, variable("a", 1, 1, 4, 3), 1, "SAME"), variable("ab", 3)))
    two = tf.nn.relu(tf.nn.bias_add(tf.nn.conv2d(one, variable("b", 3, 3, 3, 3), 1, "SAME"), variable("bb", 3)))
    wide = tf.nn.relu(batch_norm(tf.nn.conv2d(tf.nn.conv2d(one, variable("d", 1, 3, 3, 2), 1, "SAME"), variable("e", 3, 1, 2, 2), 1, "SAME"), "bn", fused=False))
    pool = tf.nn.max_pool2d(x, 3, 1, "SAME")
    y = tf.nn.local_response_normalization(tf.concat([one, two, wide, pool], 3), 5, 1.0, 1e-4, 0.75)
    y = tf.nn.avg_pool2d(tf.nn.max_pool2d(y, 3, 2, "SAME"), 4, 1, "VALID")
    y = tf.matmul(tf.reshape(y, [-1, 12]), variable("w", 12, 5)) + variable("wb", 5)
    return {"input": f(2, 8, 8, 4)}, [tf.nn.softmax(y, name="softmax2"), tf.argmax(y, 1, name="classes")]


def residual_v2():
    x = given(8, 8, 4)
    y = tf.nn.relu(batch_norm(x, "preact"))
    short = tf.nn.max_pool2d(x, 1, 2, "SAME")
    y = tf.nn.conv2d(y, variable("a", 1, 1, 4, 2), 1, "SAME")
    y = tf.nn.conv2d(tf.pad(tf.nn.relu(batch_norm(y, "bn1")), [[0, 0], [1, 1], [1, 1], [0, 0]]), variable("b", 3, 3, 2, 2), 2, "VALID")
    y = short + tf.nn.bias_add(tf.nn.conv2d(y, variable("c", 1, 1, 2, 4), 1, "SAME"), variable("cb", 4))
    y = tf.reduce_mean(tf.nn.relu(batch_norm(y, "postnorm")), [1, 2], keepdims=True, name="pool5")
    y = tf.nn.conv2d(y, variable("logits", 1, 1, 4, 3), 1, "SAME")
    return {"input": f(2, 8, 8, 4)}, [tf.nn.softmax(tf.squeeze(y, [1, 2]), name="predictions")]


def flattened():
    x = given(4, 3)
    y = tf.reshape(x, [tf.shape(x)[0], -1])
    z = tf.reshape(y, tf.stack([tf.shape(x)[0], 3, 4]))
    ones = tf.fill(tf.stack([tf.shape(x)[0], 1]), 1.0)
    tiled = tf.tile(tf.expand_dims(variable("t", 12), 0), tf.stack([tf.shape(x)[0], 1]))
    size = tf.cast(tf.reduce_prod(tf.shape(x)[1:]), tf.float32)
    return {"input": f(2, 4, 3)}, [tf.identity(z, "z"), tf.concat([y / size + tiled, ones], -1, name="out")]


def condition():
    x = given(6)
    training = v1.placeholder_with_default(False, [], name="is_training")
    y = v1.cond(training, lambda: tf.nn.dropout(x, rate=0.5) * 3.0, lambda: tf.identity(x) * 2.0)
    y = tf.matmul(y, variable("w", 6, 3))
    return {"input": f(2, 6)}, [tf.nn.relu(y, name="out")]


def embedding():
    x = given(5)
    y = tf.matmul(x, variable("w", 5, 4))
    y = tf.nn.l2_normalize(y, 1, epsilon=1e-10)
    mean, variance = tf.nn.moments(y, [-1], keepdims=True)
    z = (y - mean) * tf.math.rsqrt(variance + 1e-6) * variable("g", 4) + variable("b", 4)
    parts = tf.split(z, 2, axis=1)
    return {"input": f(2, 5)}, [tf.identity(y, "embeddings"), tf.add_n(parts, name="sum"), tf.where(z > 0, z, tf.zeros_like(z), name="where")]


def lstm_cell():
    x = given(3, 4)
    h, c = tf.zeros(tf.stack([tf.shape(x)[0], 2])), tf.zeros(tf.stack([tf.shape(x)[0], 2]))
    w, b = variable("kernel", 6, 8), variable("bias", 8)
    for step in tf.unstack(x, axis=1):
        i, j, forget, o = tf.split(tf.nn.bias_add(tf.matmul(tf.concat([step, h], 1), w), b), 4, axis=1)
        c = tf.sigmoid(forget + 1.0) * c + tf.sigmoid(i) * tf.tanh(j)
        h = tf.sigmoid(o) * tf.tanh(c)
    return {"input": f(2, 3, 4)}, [tf.nn.softmax(tf.matmul(h, variable("out", 2, 3)), name="out")]


def atrous():
    x = given(9, 9, 2)
    y = tf.nn.atrous_conv2d(x, variable("w", 3, 3, 2, 3), 2, "SAME")
    y = tf.nn.depthwise_conv2d(y, variable("dw", 3, 3, 3, 1), [1, 1, 1, 1], "SAME", dilations=[2, 2])
    return {"input": f(2, 9, 9, 2)}, [tf.identity(y[:, ::2, ::-1, :1], name="out")]


def old_condition():
    x = given(3)
    y = v1.cond(tf.reduce_sum(x) > 0, lambda: x * 2.0, lambda: x * 3.0)
    return {"input": f(1, 3)}, [tf.identity(y, "out")]


def loop():
    x = given(3)
    y = v1.while_loop(lambda i, _: i < 3, lambda i, y: (i + 1, y * 2.0), [0, x])[1]
    return {"input": f(1, 3)}, [tf.identity(y, "out")]


def chance():
    x = given(3)
    return {"input": f(1, 3)}, [tf.add(x, tf.random.uniform([3], seed=4), name="out")]


def training():
    x = given(4, 4, 2)
    y = v1.nn.fused_batch_norm(x, variable("g", 2), variable("b", 2), is_training=True)[0]
    return {"input": f(2, 4, 4, 2)}, [tf.identity(y, "out")]


CLASSIC = {
    "mobile": slim_mobile,
    "inception": inception,
    "residual": residual_v2,
    "flattened": flattened,
    "condition": condition,
    "embedding": embedding,
    "lstm-cell": lstm_cell,
    "atrous": atrous,
    "condition-refused": old_condition,
    "loop-refused": loop,
    "chance-refused": chance,
    "training-refused": training,
}


def pair(one, two):
    """An engine may make two operations one, or move one before the other."""
    x = v1.placeholder(tf.float32, [2, 4, 6, 4], name="input")
    return {"input": f(2, 4, 6, 4)}, [tf.identity(two(one(x)), "second")]


W = lambda *shape: tf.constant(f(*shape))
STEPS = {
    "pad": lambda x: tf.pad(x, [[0, 0], [1, 0], [1, 2], [0, 0]]),
    "conv": lambda x: tf.nn.conv2d(x, W(3, 3, x.shape[3], 4), 1, "SAME"),
    "conv-1": lambda x: tf.nn.conv2d(x, W(1, 1, x.shape[3], 3), 1, "VALID"),
    "conv-2": lambda x: tf.nn.conv2d(x, W(2, 3, x.shape[3], 2), 2, "SAME"),
    "dilated": lambda x: tf.nn.conv2d(x, W(3, 3, x.shape[3], 2), 1, "SAME", dilations=2),
    "depthwise": lambda x: v1.nn.depthwise_conv2d_native(x, W(3, 3, x.shape[3], 2), [1, 1, 1, 1], "SAME"),
    "bias": lambda x: tf.nn.bias_add(x, W(x.shape[3])),
    "scale": lambda x: x * W(x.shape[3]),
    "shift": lambda x: x - 0.5,
    "divide": lambda x: x / 3.0,
    "relu": tf.nn.relu,
    "relu6": lambda x: tf.nn.relu6(x * 5.0),
    "sigmoid": tf.sigmoid,
    "square": tf.square,
    "sqrt": lambda x: tf.sqrt(tf.abs(x)),
    "norm": lambda x: v1.nn.fused_batch_norm(x, *(tf.constant(f(x.shape[3], low=0.2)) for _ in range(4)), epsilon=1e-3, is_training=False)[0],
    "max": lambda x: tf.nn.max_pool2d(x, 2, 2, "SAME"),
    "average": lambda x: tf.nn.avg_pool2d(x, 3, 1, "SAME"),
    "mean": lambda x: tf.reduce_mean(x, [1, 2], keepdims=True),
    "sum": lambda x: tf.reduce_sum(x, 3, keepdims=True),
    "softmax": tf.nn.softmax,
    "transpose": lambda x: tf.transpose(x, [0, 2, 1, 3]),
    "turn": lambda x: tf.transpose(x, [0, 3, 1, 2]),
    "reshape": lambda x: tf.reshape(x, [tf.shape(x)[0], 1, -1, 2]) if (x.shape[1] * x.shape[2] * x.shape[3]) % 2 == 0 else x,
    "every-second": lambda x: x[:, ::2, :, :],
    "reversed": lambda x: x[:, :, ::-1, :],
    "slice": lambda x: x[:, :, :1, :],
    "concat": lambda x: tf.concat([x, x * 2.0], 3),
    "split": lambda x: tf.split(x, [1, -1], 1)[0],
    "tile": lambda x: tf.tile(x, [1, 1, 2, 1]),
    "squeeze": lambda x: tf.expand_dims(tf.squeeze(x[:, :1], [1]), 2),
    "matmul": lambda x: tf.matmul(x, W(x.shape[3], 3)),
    "blocks": lambda x: tf.batch_to_space(tf.space_to_batch(x, [2, 1], [[0, x.shape[1] % 2], [0, 0]]), [2, 1], [[0, 0], [0, 0]]),
    "fake-quant": lambda x: tf.quantization.fake_quant_with_min_max_vars(x, -1.0, 1.0),
    "where": lambda x: tf.where(x > 0.1, x, tf.zeros_like(x)),
}
