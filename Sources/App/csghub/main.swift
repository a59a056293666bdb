import CHubPlatform
import Glibc
import HubCommands

// Before anything looks up a host or a user, and before a second thread exists.
hub_prepare_process()
signal(SIGPIPE, SIG_IGN)
let arguments = (1..<max(1, hub_argument_count())).map { String(cString: hub_argument($0)) }
exit(await HubCommand.run(arguments, in: .process))
