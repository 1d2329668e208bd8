// What `require('lsmt/level')` gives: the module itself, which Node loads synchronously.
import level = require('../dist/lsmt-level.js')
export = level
