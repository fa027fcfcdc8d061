"""What can be wrong with a model pack, each with its remedy; never raised for what is wrong with an image."""

from __future__ import annotations


class ModelPackError(Exception):
    """Raised when a model pack cannot be used; the service must refuse to start. Subclasses say why."""


class PackMissingError(ModelPackError):
    """Raised when the folder, its manifest or a file the manifest names is not there."""


class PackTamperedError(ModelPackError):
    """Raised when a file is not the one the manifest, or a pinned digest, describes: truncated, swapped or edited."""


class PackUnsafeError(ModelPackError):
    """Raised when a graph asks for what a model file must not: tensors in other files, custom operators, wrong shapes."""


class PackLicenceError(ModelPackError):
    """Raised when a pack for research use only is loaded without its licence having been accepted."""


class PackSelfTestError(ModelPackError):
    """Raised when the model runs but its vectors are not the ones it should give: wrong normalisation, leaking batches."""
