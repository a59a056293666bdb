import Glibc

/// What the system says of an error number: `No such file or directory`.
package enum SystemText {
    package static func of(_ code: Int32) -> String { String(cString: strerror(code)) }
}
