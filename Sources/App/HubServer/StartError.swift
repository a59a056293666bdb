import Glibc
import HubCore
import NIOCore

/// Why the hub did not start.
package enum StartError: Error, Equatable {
    /// A setting has a value that it cannot have; `key` is as the user wrote it.
    case badSetting(key: String, reason: String)
    case portInUse(Int)
    case cannotListen(String, reason: String)
    /// Another process owns the data directory; `holder` is its process id, if it is known.
    case alreadyRunning(holder: String?)
    case dataFolder(reason: String)
    case certificate(reason: String)

    init(listening address: ListenAddress, _ error: any Error) {
        let code = (error as? IOError)?.errnoCode
        switch (address, code) {
        case (.network(_, let port), EADDRINUSE?): self = .portInUse(port)
        case (_, EACCES?):
            self = .cannotListen(address.description, reason: "permission denied; ports below 1024 need a privileged service")
        case (_, EADDRNOTAVAIL?): self = .cannotListen(address.description, reason: "this machine does not have that address")
        case (_, let code?): self = .cannotListen(address.description, reason: String(cString: strerror(code)))
        case (_, nil): self = .cannotListen(address.description, reason: "\(error)")
        }
    }
}

extension StartError: Refusal {
    package var problem: Problem {
        switch self {
        case .badSetting(let key, let reason): Problem(.invalid, code: "bad_setting", "\(key): \(reason)")
        case .portInUse(let port):
            Problem(.conflict, code: "port_in_use", "Port \(port) is in use; set --listen or CSGHUB_LISTEN.")
        case .cannotListen(let address, let reason):
            Problem(.unavailable, code: "cannot_listen", "Cannot listen on \(address): \(reason).")
        case .alreadyRunning(let holder):
            Problem(
                .conflict, code: "already_running",
                "The data directory is in use by another hub\(holder.map { ", process \($0)" } ?? ""). Stop it first, or set --data.")
        case .dataFolder(let reason): Problem(.unavailable, code: "data_directory", "The data directory cannot be used: \(reason)")
        case .certificate(let reason): Problem(.invalid, code: "certificate", "The TLS certificate cannot be used: \(reason)")
        }
    }
}
