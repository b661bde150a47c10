{
  # For Windows; elsewhere native/compile_addon.mjs does without node-gyp. No -march: ISA variants carry their own target regions.
  "targets": [{
    "target_name": "bitnet_native",
    "sources": [
      "<!@(node -p \"['core','training','inference','addon'].filter(d => require('fs').existsSync('cc/' + d)).flatMap(d => require('fs').readdirSync('cc/' + d).filter(f => f.endsWith('.cc')).map(f => 'cc/' + d + '/' + f)).join(' ')\")"
    ],
    "include_dirs": ["cc"],
    "dependencies": ["<!(node -p \"require('node-addon-api').targets\"):node_addon_api_except"],
    "defines": ["NAPI_VERSION=8", "NDEBUG"],
    "msvs_settings": { "VCCLCompilerTool": { "AdditionalOptions": ["/std:c++17", "/fp:precise"], "ExceptionHandling": 1 } }
  }]
}
