// What `require('lsmt')` gives: the module itself, which Node loads synchronously.
import lsmt = require('../dist/lsmt.js')
export = lsmt
