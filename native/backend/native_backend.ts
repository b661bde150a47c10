/**
 * The tfjs backend "native": MathBackendCPU with pooled tensor memory. Kernels that have no native version are the cpu
 * backend's own, working on the same typed arrays.
 *
 * Who owns an array:
 * - arrays from {@link NativeBackend.allocate} belong to the pool and are recycled when the last reference to their
 *   data id is disposed;
 * - arrays that came from anywhere else (the user, cpu kernels) are left to the garbage collector;
 * - an array that is a view of pooled memory but not from `allocate` (the cpu Slice returns a subarray of its input) is
 *   copied when it is written, so recycled memory is never visible through a live tensor;
 * - `read` and `readSync` copy, so what the user holds never changes.
 */
import * as tf from "@tensorflow/tfjs";
import { MathBackendCPU } from "@tensorflow/tfjs-backend-cpu";
import { type Block, BufferPool, type PoolUsage } from "./buffer_pool.ts";
import type { NativeAddon } from "./training_addon.ts";

export const backendName = "native";

type Values = tf.backend_util.BackendValues;

/** What DataStorage holds for one data id. `block` is set when `values` is pooled. */
interface NativeTensorData {
  values?: Values;
  dtype: tf.DataType;
  refCount: number;
  complexTensorInfos?: { real: tf.TensorInfo; imag: tf.TensorInfo };
  block?: Block;
}

/** A tensor that a kernel just made, with its elements still to be written. */
export interface Output<T extends Float32Array | Int32Array | Uint8Array> {
  info: tf.TensorInfo;
  values: T;
}

export class NativeBackend extends MathBackendCPU {
  readonly addon: NativeAddon;
  private readonly pool: BufferPool;

  constructor(addon: NativeAddon) {
    super();
    this.addon = addon;
    this.pool = new BufferPool((buffer, alignment) => addon.alignmentOffset(buffer, alignment));
  }

  /** A new float32 tensor of pooled memory. Its elements are undefined until the kernel writes them, all of them. */
  allocate(shape: number[]): Output<Float32Array> {
    const size = tf.util.sizeFromShape(shape);
    const block = this.pool.take(size * 4);
    const values = new Float32Array(block.buffer, block.offset, size);
    return { info: this.register(shape, "float32", values, block), values };
  }

  /** As {@link allocate}, for int32. */
  allocateInts(shape: number[]): Output<Int32Array> {
    const size = tf.util.sizeFromShape(shape);
    const block = this.pool.take(size * 4);
    const values = new Int32Array(block.buffer, block.offset, size);
    return { info: this.register(shape, "int32", values, block), values };
  }

  /** Elements of a tensor as float32; converted when the cpu backend stores them as another type. Read only. */
  floats(tensor: tf.TensorInfo): Float32Array {
    const { values } = this.entry(tensor.dataId);
    return values instanceof Float32Array ? values : Float32Array.from(values as ArrayLike<number>);
  }

  /** Elements of an int32 (or bool) tensor. Read only. */
  ints(tensor: tf.TensorInfo): Int32Array {
    const { values } = this.entry(tensor.dataId);
    return values instanceof Int32Array ? values : Int32Array.from(values as ArrayLike<number>);
  }

  /**
   * Elements of a float32 tensor that a kernel updates in place. A variable that shares its data with other tensors (its
   * initial value, a clone) gets data of its own first, and memory that is not the pool's (an array of the user) is
   * replaced by a pooled copy, so that nobody else sees the update.
   */
  mutableFloats(tensor: tf.TensorInfo): Float32Array {
    if (tensor instanceof tf.Variable && this.refCount(tensor.dataId) > 1) {
      const own = tf.tensor(this.floats(tensor).slice(), tensor.shape, "float32");
      tensor.assign(own);
      own.dispose();
    }
    const data = this.entry(tensor.dataId);
    if (data.block && data.values instanceof Float32Array) return data.values;
    const source = data.values as ArrayLike<number>;
    const block = this.pool.take(source.length * 4);
    const values = new Float32Array(block.buffer, block.offset, source.length);
    values.set(source);
    data.values = values;
    data.block = block;
    return values;
  }

  /** The same data under another shape. */
  reshaped(tensor: tf.TensorInfo, shape: number[]): tf.TensorInfo {
    this.incRef(tensor.dataId);
    return { dataId: tensor.dataId, shape, dtype: tensor.dtype };
  }

  poolUsage(): PoolUsage {
    return this.pool.usage();
  }

  override write(values: Values, _shape: number[], dtype: tf.DataType): object {
    const dataId = {};
    this.data.set(dataId, { values: this.detached(values), dtype, refCount: 1 });
    return dataId;
  }

  override move(dataId: object, values: Values, _shape: number[], dtype: tf.DataType, refCount: number): void {
    this.data.set(dataId, { values: this.detached(values), dtype, refCount });
  }

  override readSync(dataId: object): Values {
    const data = this.entry(dataId);
    if (data.dtype === "complex64" || data.dtype === "string" || data.values === undefined) {
      return super.readSync(dataId);
    }
    const values = tf.util.convertBackendValuesAndArrayBuffer(data.values, data.dtype);
    return (values as tf.TypedArray).slice();
  }

  override disposeData(dataId: object, force = false): boolean {
    const data = this.data.has(dataId) ? this.entry(dataId) : undefined;
    const released = super.disposeData(dataId, force);
    if (released && data?.block) {
      this.pool.give(data.block);
      data.block = undefined;
      data.values = undefined;
    }
    return released;
  }

  override memory(): ReturnType<MathBackendCPU["memory"]> & { pool: PoolUsage } {
    return { ...super.memory(), pool: this.poolUsage() };
  }

  private entry(dataId: object): NativeTensorData {
    return this.data.get(dataId);
  }

  private register(shape: number[], dtype: tf.DataType, values: tf.TypedArray, block: Block): tf.TensorInfo {
    const dataId = {};
    const data: NativeTensorData = { values, dtype, refCount: 1, block };
    this.data.set(dataId, data);
    return { dataId, shape, dtype };
  }

  /** `values`, copied if they are a view of pooled memory that may be recycled under them. */
  private detached(values: Values): Values {
    if (ArrayBuffer.isView(values) && this.pool.owns((values as tf.TypedArray).buffer)) {
      return (values as tf.TypedArray).slice();
    }
    return values;
  }
}
