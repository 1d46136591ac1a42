// What a WebAssembly file is to a host that imports it as a module, as workerd does.
declare module "*.wasm" {
  const module: WebAssembly.Module;
  export default module;
}
