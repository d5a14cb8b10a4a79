from . import ProcessExited as ProcessExited
from . import ProcessIO as ProcessIO
