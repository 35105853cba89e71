// pptxgenjs for a JavaScript engine inside the program: no browser, no Node.js,
// no timers. It defines the global PptxGenJS and needs one function of its host,
// __goZip, which jszip.js describes. Images must come as data, not as addresses.
import PptxGenJS from 'pptxgenjs';

globalThis.PptxGenJS = PptxGenJS;
