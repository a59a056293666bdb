import CHubPlatform
import HubCommands

hub_prepare_process()
