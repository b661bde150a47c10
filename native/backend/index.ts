/** The tfjs backend "native": tensor operations and fused training kernels on the C++ core. */
export { NativeUnavailableError } from "../addon.ts";
export { type KernelLog, nativeKernelLog, resetKernelLog } from "./kernel_log.ts";
export { backendName, NativeBackend } from "./native_backend.ts";
export { fusedKernelNames, registerNativeBackend } from "./register.ts";
