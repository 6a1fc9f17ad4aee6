/**
 * Models that the runner computes (ONNX, TensorFlow), for scorers: the other worlds have no
 * `wasi:nn`, so this is a module of its own.
 *
 *     import { Graph } from "../vendor/graph.js";
 *
 *     const graph = new Graph(setup.model());
 *     const { scores } = graph.compute({ image: row.image });
 *
 * SPDX-License-Identifier: Apache-2.0
 */

import { loadByName } from "wasi:nn/graph@0.2.0-rc-2024-10-28";
import { Tensor as HostTensor } from "wasi:nn/tensor@0.2.0-rc-2024-10-28";

import { Failure, Tensor } from "./sandbar.js";

/** A model that the runner computes. */
export class Graph {
  #context;

  constructor(name) {
    try {
      this.#context = loadByName(name).initExecutionContext();
    } catch (error) {
      throw new Error(error.payload?.data() ?? String(error));
    }
  }

  /** Computes all outputs, an object of tensors by name, from such an object. */
  compute(inputs) {
    const tensors = Object.entries(inputs).map(([name, { element, dimensions, data }]) => [
      name,
      // Here the contract writes the types large: FP32.
      new HostTensor(Uint32Array.from(dimensions), element.toUpperCase(), data),
    ]);
    let outputs;
    try {
      outputs = this.#context.compute(tensors);
    } catch (error) {
      const { payload } = error;
      if (payload === undefined) throw error;
      throw new Failure(payload.code() === "timeout" ? "unavailable" : "internal", payload.data());
    }
    const tensor = (it) => new Tensor(it.ty().toLowerCase(), it.dimensions(), it.data());
    return Object.fromEntries(outputs.map(([name, it]) => [name, tensor(it)]));
  }
}
