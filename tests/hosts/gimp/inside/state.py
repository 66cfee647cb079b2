"""What the newest image is made of."""

from common import Gimp, describe, report

report(lambda: describe(Gimp.get_images()[0]))
