import Glibc
import HubCore
import NIOCore
import WebCore

/// The external addresses of a hub that was told none: the names and addresses of this machine with the ports listened on.
enum LocalNames {
    /// - Parameter listeners: hosts and the ports in fact bound.
    static func origins(_ listeners: [(host: String, port: Int)], isEncrypted: Bool) -> [RequestOrigin] {
        let scheme = isEncrypted ? "https" : "http"
        var origins: [RequestOrigin] = []
        for (host, port) in listeners {
            for name in names(of: host) {
                let text = name.contains(":") ? "[\(name)]:\(port)" : "\(name):\(port)"
                if let origin = RequestOrigin(scheme: scheme, host: text), !origins.contains(origin) { origins.append(origin) }
            }
        }
        return origins
    }

    private static func names(of host: String) -> [String] {
        switch host {
        case "0.0.0.0", "::": ([hostName].compactMap { $0 }) + interfaceAddresses + ["localhost", "127.0.0.1", "::1"]
        case "127.0.0.1", "::1", "localhost": ["localhost", "127.0.0.1", "::1"]
        default: [host]
        }
    }

    static var hostName: String? {
        var buffer = [CChar](repeating: 0, count: 256)
        guard gethostname(&buffer, buffer.count - 1) == 0 else { return nil }
        let name = String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return RequestOrigin(scheme: "http", host: name) == nil || name.isEmpty ? nil : name.lowercased()
    }

    private static var interfaceAddresses: [String] {
        // Without the list the host's name is still there.
        let devices = (try? System.enumerateDevices()) ?? []
        return devices.compactMap(\.address?.ipAddress).filter { address in
            address != "127.0.0.1" && address != "::1" && !address.hasPrefix("fe80:")
        }
    }
}
