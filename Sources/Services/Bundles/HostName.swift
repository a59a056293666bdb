import BundleFormat
import Glibc

/// This machine's name, as far as names of the bundle format allow it.
package enum HostName {
    package static var text: String {
        var buffer = [CChar](repeating: 0, count: 256)
        guard gethostname(&buffer, buffer.count - 1) == 0 else { return "hub" }
        let text = String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return BundleManifest.isName(text) ? text : "hub"
    }
}
