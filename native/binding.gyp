{
  # Built by native/build_addon.mjs. No -march: ISA variants carry their own target regions.
  "targets": [{
    "target_name": "bitnet_native",
    "sources": [
      "<!@(node -p \"['core','training','inference','addon'].filter(d => require('fs').existsSync('cc/' + d)).flatMap(d => require('fs').readdirSync('cc/' + d).filter(f => f.endsWith('.cc')).map(f => 'cc/' + d + '/' + f)).join(' ')\")"
    ],
    "include_dirs": ["cc"],
    "dependencies": ["<!(node -p \"require('node-addon-api').targets\"):node_addon_api_except"],
    "defines": ["NAPI_VERSION=8"],
    # GCC for AArch64 would move loads ahead before it gives out registers, and run out of them.
    "cflags_cc": ["-std=c++17", "-O3", "-fno-schedule-insns", "-Wno-ignored-optimization-argument", "-ffp-contract=off", "-fno-math-errno", "-fno-trapping-math", "-Wall", "-Wextra"],
    "cflags_cc!": ["-fno-rtti"],
    "xcode_settings": {
      "CLANG_CXX_LANGUAGE_STANDARD": "c++17",
      "GCC_OPTIMIZATION_LEVEL": "3",
      "MACOSX_DEPLOYMENT_TARGET": "11.0",
      "OTHER_CPLUSPLUSFLAGS": ["-ffp-contract=off", "-fno-math-errno", "-fno-trapping-math"]
    },
    "msvs_settings": { "VCCLCompilerTool": { "AdditionalOptions": ["/std:c++17", "/fp:precise"], "ExceptionHandling": 1 } }
  }]
}
