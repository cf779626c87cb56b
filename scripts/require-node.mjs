// Says plainly what is missing where a command of this repository meets a Node that is too old. Runs on any Node.
const [major, minor] = process.versions.node.split('.').map(Number);

// 22.18 is the first that runs TypeScript sources as they are
if (!(major > 22 || (major === 22 && minor >= 18))) {
  process.stderr.write(
    `This needs Node 24, and this is Node ${process.versions.node}.\n\n` +
      'The repository brings its own Node 24 (the dev dependency "node"), but npm did not let that package install itself.\n' +
      'Allow its install script, then install again:\n\n' +
      '    npm install-scripts approve node && npm ci        (npm 11.19 and later)\n' +
      '    npm ci --ignore-scripts=false                     (where ignore-scripts is set)\n\n' +
      'Or install Node 24 yourself: https://nodejs.org\n',
  );
  process.exit(1);
}
