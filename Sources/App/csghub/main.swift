import CHubPlatform
import Glibc
import HubCommands

// Before anything looks up a host or a user, and before a second thread exists.
hub_prepare_process()
signal(SIGPIPE, SIG_IGN)
exit(await HubCommand.run(Array(CommandLine.arguments.dropFirst()), in: .process))
